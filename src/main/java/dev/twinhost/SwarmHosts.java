package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.Aws;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.Token;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.UserData;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.constructs.Construct;

/**
 * The machines of the Swarm: two hosts, one per zone, and the witness, a third manager that serves nothing.
 *
 * <p>A host signals when it is in the Swarm and both target groups call it healthy, the witness when it is in the
 * Swarm. Everything that they need for that comes before them: the routes and security rules, the mount targets, the
 * release's parameter, the role with all its policies, and the listeners. The hosts come before the witness: they
 * found the Swarm.
 */
final class SwarmHosts extends Construct {
    /** The machines' tag that holds the stack's name. */
    static final String STACK_TAG = "twinhost:stack";
    /** The machines' tag that holds {@code host} or {@code witness}. */
    static final String ROLE_TAG = "twinhost:role";

    private final Network network;
    private final MachineRole role;
    private final LogGroup logs;
    private final SharedStorage storage;
    private final SiteRelease release;
    private final boolean accountKnown;

    SwarmHosts(
            Construct scope,
            String id,
            Settings settings,
            Network network,
            SharedStorage storage,
            EdgeLoadBalancer balancer,
            SiteRelease release) {
        super(scope, id);
        this.network = network;
        this.storage = storage;
        this.release = release;
        accountKnown = !Token.isUnresolved(Stack.of(this).getAccount());
        logs = createLogGroup();
        role = new MachineRole(this, "Machines", storage, release, logs);
        MachineGroup hosts = createHosts(settings, balancer);
        if (settings.witness()) {
            createWitness(settings).group().getNode().addDependency(hosts.group());
        }
        if (!accountKnown) {
            Annotations.of(this)
                    .addInfoV2(
                            "twinhost:image",
                            "No AWS account is known: the newest Amazon Linux image is taken at every deploy. "
                                    + "With an account it is looked up once and kept in cdk.context.json.");
        }
    }

    private LogGroup createLogGroup() {
        return LogGroup.Builder.create(this, "Logs")
                .retention(RetentionDays.ONE_MONTH)
                // The rollback of a first deploy would otherwise take the reason of its failure with it.
                .removalPolicy(RemovalPolicy.RETAIN)
                .build();
    }

    private MachineGroup createHosts(Settings settings, EdgeLoadBalancer balancer) {
        List<ISecurityGroup> groups =
                List.of(network.groups().machines(), network.groups().hosts());
        Duration application = Duration.seconds(settings.releaseTime().extraConvergeSeconds());
        MachineGroup hosts =
                create("Hosts", "host", settings.instanceType(), 2, 3, application, network.hostSubnets(), groups);
        balancer.addTarget(hosts.group());
        balancer.listeners().forEach(hosts.group().getNode()::addDependency);
        return hosts;
    }

    private MachineGroup createWitness(Settings settings) {
        List<ISecurityGroup> groups = List.of(network.groups().machines());
        String type = settings.witnessInstanceType();
        return create("Witness", "witness", type, 1, 2, Duration.seconds(0), network.witnessSubnets(), groups);
    }

    private MachineGroup create(
            String id,
            String roleName,
            String instanceType,
            int least,
            int most,
            Duration firstApplication,
            SubnetSelection subnets,
            List<ISecurityGroup> groups) {
        InstanceType type = new InstanceType(instanceType);
        MachineGroup.Machines machines = new MachineGroup.Machines(
                roleName,
                id,
                type,
                AmazonLinux.image(this, type, accountKnown),
                least,
                most,
                firstApplication,
                subnets,
                groups);
        MachineGroup made = new MachineGroup(this, id, machines, network.vpc(), role.role(), userData(roleName, id));
        network.reachability().forEach(made.group().getNode()::addDependency);
        made.group().getNode().addDependency(storage.mountTargets(), release.parameter(), role, logs);
        return made;
    }

    /** The launcher as it is, after what it has to know. No setting of the site is in it: those come with releases. */
    private UserData userData(String roleName, String groupId) {
        Map<String, String> exports = new LinkedHashMap<>();
        exports.put("AWS_REGION", Aws.REGION);
        exports.put("TWINHOST_ROLE", roleName);
        exports.put("TWINHOST_FILE_SYSTEM", storage.fileSystem().getFileSystemId());
        exports.put("TWINHOST_RELEASE_PARAMETER", release.parameter().getParameterName());
        exports.put("TWINHOST_STACK", Stack.of(this).getStackName());
        exports.put("TWINHOST_SIGNAL_RESOURCE", groupId);
        exports.put("TWINHOST_LOG_GROUP", logs.getLogGroupName());
        return Launcher.userData(exports);
    }
}
