package dev.twinhost;

import java.util.List;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.TagProps;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.services.autoscaling.AutoScalingGroup;
import software.amazon.awscdk.services.autoscaling.CfnAutoScalingGroup;
import software.amazon.awscdk.services.autoscaling.Ec2HealthChecksOptions;
import software.amazon.awscdk.services.autoscaling.HealthChecks;
import software.amazon.awscdk.services.autoscaling.RollingUpdateOptions;
import software.amazon.awscdk.services.autoscaling.ScalingProcess;
import software.amazon.awscdk.services.autoscaling.Signals;
import software.amazon.awscdk.services.autoscaling.SignalsOptions;
import software.amazon.awscdk.services.autoscaling.TerminationPolicy;
import software.amazon.awscdk.services.autoscaling.UpdatePolicy;
import software.amazon.awscdk.services.ec2.BlockDevice;
import software.amazon.awscdk.services.ec2.BlockDeviceVolume;
import software.amazon.awscdk.services.ec2.EbsDeviceOptions;
import software.amazon.awscdk.services.ec2.EbsDeviceVolumeType;
import software.amazon.awscdk.services.ec2.IMachineImage;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.LaunchTemplate;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.UserData;
import software.amazon.awscdk.services.iam.IRole;
import software.constructs.Construct;

/**
 * A launch template and the Auto Scaling group that keeps its machines running.
 *
 * <p>A deploy waits until every machine has signalled that it is up, and an update replaces one machine at a time,
 * each only after the one before has signalled. EC2 alone says whether a machine is healthy: a load balancer that
 * sees a wrong configuration must not have hosts replaced. Where the group replaces a machine by itself, for its health
 * or to balance the zones, the new one comes first too; but nobody signals to the group, so it reckons with {@link
 * #WARMUP}. A machine that is told to end gets {@link #GOODBYE} for it.
 *
 * <p>An update that fails has made the group one machine larger, and CloudFormation goes back to the desired capacity only
 * where the template has one: https://github.com/guardian/testing-asg-rolling-update, observations/healthy-to-unhealthy.md.
 * So it has one. The group then ends a machine by itself, and by default it would be one with the oldest launch template;
 * the newest is the one that has failed, and it stands in the zone that has one too many, which is what the group looks at
 * first: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html. The old machines
 * stay, and nothing has to boot. In an update that succeeds CloudFormation names the old machines itself.
 *
 * <p>CDK warns that a desired capacity is set anew on every deploy. Not here: {@code IgnoreUnmodifiedGroupSizeProperties},
 * which CDK sets, leaves it alone where the template has not changed. Nor would it do harm, because it is also the least that
 * the group may have: nothing scales it, and a machine that is replaced for its health or its zone is launched beyond it
 * (the maintenance policy's 150 or 200 percent), without changing it.
 */
final class MachineGroup extends Construct {
    /** Long enough to install packages on the smallest machine, and for a host to say what it waits for in vain. */
    private static final Duration BOOT = Duration.minutes(30);

    /** How long the group takes a new machine to need until it is complete: before, it ends no other in its place. */
    private static final Duration WARMUP = Duration.minutes(10);

    private static final Duration GOODBYE = Duration.seconds(180);
    private static final int DISK_GIB = 20;

    /**
     * What the group leaves alone while CloudFormation replaces its machines: it would replace those that CloudFormation
     * ends, or end the additional one that CloudFormation has it launch.
     */
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html
    private static final List<ScalingProcess> LEFT_TO_THE_UPDATE = List.of(
            ScalingProcess.HEALTH_CHECK,
            ScalingProcess.REPLACE_UNHEALTHY,
            ScalingProcess.AZ_REBALANCE,
            ScalingProcess.ALARM_NOTIFICATION,
            ScalingProcess.SCHEDULED_ACTIONS,
            ScalingProcess.INSTANCE_REFRESH);

    /** Above the priority of the name that CDK gives to launch templates, which is their path. */
    private static final TagProps NAME_TAG = TagProps.builder().priority(200).build();

    private final AutoScalingGroup group;

    /**
     * @param role {@code host} or {@code witness}, the machines' tag
     * @param groupId the group's logical id, which the machines signal
     * @param least how many run always, during an update too
     * @param most how many run while one replaces another
     * @param firstApplication how much longer than others the first of them may take, which start the application
     */
    record Machines(
            String role,
            String groupId,
            InstanceType instanceType,
            IMachineImage image,
            int least,
            int most,
            Duration firstApplication,
            SubnetSelection subnets,
            List<ISecurityGroup> securityGroups) {}

    MachineGroup(Construct scope, String id, Machines machines, IVpc vpc, IRole role, UserData userData) {
        super(scope, id);
        group = createGroup(machines, vpc, createLaunchTemplate(machines, role, userData));
        Annotations.of(group)
                .acknowledgeWarning(
                        "@aws-cdk/aws-autoscaling:desiredCapacitySet",
                        "It is the least as well: no deploy changes it.");
        CfnAutoScalingGroup resource = (CfnAutoScalingGroup) group.getNode().getDefaultChild();
        resource.overrideLogicalId(machines.groupId());
        resource.setLifecycleHookSpecificationList(List.of(terminationHook()));
        String stack = group.getStack().getStackName();
        Tags.of(this).add("Name", stack + ' ' + machines.role(), NAME_TAG);
        Tags.of(group).add(SwarmHosts.STACK_TAG, stack);
        Tags.of(group).add(SwarmHosts.ROLE_TAG, machines.role());
    }

    private LaunchTemplate createLaunchTemplate(Machines machines, IRole role, UserData userData) {
        LaunchTemplate template = LaunchTemplate.Builder.create(this, "LaunchTemplate")
                .machineImage(machines.image())
                .instanceType(machines.instanceType())
                .role(role)
                .userData(userData)
                .requireImdsv2(true)
                .httpEndpoint(true)
                // No container is one hop away from the machine's credentials.
                .httpPutResponseHopLimit(1)
                .securityGroup(machines.securityGroups().get(0))
                .blockDevices(List.of(BlockDevice.builder()
                        .deviceName("/dev/xvda")
                        .volume(BlockDeviceVolume.ebs(
                                DISK_GIB,
                                EbsDeviceOptions.builder()
                                        .volumeType(EbsDeviceVolumeType.GP3)
                                        .encrypted(true)
                                        .deleteOnTermination(true)
                                        .build()))
                        .build()))
                .build();
        machines.securityGroups().stream().skip(1).forEach(template::addSecurityGroup);
        return template;
    }

    private AutoScalingGroup createGroup(Machines machines, IVpc vpc, LaunchTemplate template) {
        return AutoScalingGroup.Builder.create(this, "Group")
                .vpc(vpc)
                .vpcSubnets(machines.subnets())
                .launchTemplate(template)
                .minCapacity(machines.least())
                .desiredCapacity(machines.least())
                .maxCapacity(machines.most())
                .terminationPolicies(List.of(TerminationPolicy.NEWEST_INSTANCE))
                .minHealthyPercentage(100)
                .maxHealthyPercentage(100 * machines.most() / machines.least())
                .defaultInstanceWarmup(WARMUP)
                .healthChecks(HealthChecks.ec2(Ec2HealthChecksOptions.builder()
                        .gracePeriod(Duration.minutes(5))
                        .build()))
                .signals(Signals.waitForMinCapacity(SignalsOptions.builder()
                        // at most 12 hours:
                        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-creationpolicy.html
                        .timeout(BOOT.plus(machines.firstApplication()))
                        .minSuccessPercentage(100)
                        .build()))
                .updatePolicy(UpdatePolicy.rollingUpdate(RollingUpdateOptions.builder()
                        .maxBatchSize(1)
                        .minInstancesInService(machines.least())
                        .minSuccessPercentage(100)
                        .waitOnResourceSignals(true)
                        .pauseTime(BOOT)
                        .suspendProcesses(LEFT_TO_THE_UPDATE)
                        .build()))
                .build();
    }

    /** Part of the group itself: as a resource of its own it would not yet hold for the group's first machines. */
    private static CfnAutoScalingGroup.LifecycleHookSpecificationProperty terminationHook() {
        return CfnAutoScalingGroup.LifecycleHookSpecificationProperty.builder()
                .lifecycleHookName("goodbye")
                .lifecycleTransition("autoscaling:EC2_INSTANCE_TERMINATING")
                .heartbeatTimeout(GOODBYE.toSeconds())
                .defaultResult("CONTINUE")
                .build();
    }

    AutoScalingGroup group() {
        return group;
    }
}
