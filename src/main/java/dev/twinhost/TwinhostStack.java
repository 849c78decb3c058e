package dev.twinhost;

import dev.twinhost.settings.Dns;
import dev.twinhost.settings.Settings;
import java.nio.file.Path;
import java.util.List;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.constructs.Construct;

/** One site. Has no resources of its own: it says what there is and in which order. */
final class TwinhostStack extends Stack {
    private final List<String> zones;

    TwinhostStack(Construct scope, String id, StackProps props, Settings settings, Path checkout) {
        super(scope, id, props);
        zones = Zones.of(this, settings);
        Network network = new Network(this, "Network", settings);
        SharedStorage storage = new SharedStorage(this, "SharedStorage", settings, network);
        EdgeLoadBalancer balancer = new EdgeLoadBalancer(this, "EdgeLoadBalancer", network);
        if (settings.dns() == Dns.ALL) {
            new SiteRecords(this, "SiteRecords", settings, balancer.balancer());
        }
        SiteRelease release = new SiteRelease(this, "SiteRelease", settings, checkout, balancer);
        release.runOn(new SwarmHosts(this, "SwarmHosts", settings, network, storage, balancer, release));
        warn(settings);
        output("SiteUrl", "Where the site answers", "https://" + settings.www() + "/");
        output(
                "BalancerName",
                "What the site's names point to",
                balancer.balancer().getLoadBalancerDnsName());
        output(
                "FileSystem",
                "The site's memory, kept when the stack is deleted",
                storage.fileSystem().getFileSystemId());
        output("SessionCommand", "A shell on a host", sessionCommand());
    }

    @Override
    public List<String> getAvailabilityZones() {
        return zones;
    }

    private void warn(Settings settings) {
        if (settings.appReplicas() == 1) {
            Annotations.of(this)
                    .addWarningV2(
                            "twinhost:appReplicas",
                            "appReplicas is 1: when the host of the only replica dies, and whenever the application is updated, "
                                    + "the site answers with errors until another replica has started.");
        }
        // nobody looks into the image here, which may have one of its own
        if (settings.appImage().isPresent() && settings.appHealthPath().isEmpty()) {
            Annotations.of(this)
                    .addWarningV2(
                            "twinhost:appHealthPath",
                            "appHealthPath is not set: unless the image has a HEALTHCHECK, a container gets visitors as soon as it"
                                    + " runs. A release waits until the new version answers, but a container that is started"
                                    + " again later gets visitors before it answers.");
        }
        if (settings.natGateways() == 1) {
            Annotations.of(this)
                    .addWarningV2(
                            "twinhost:natGateways",
                            "natGateways is 1: when its zone is lost, the host in the other zone goes on serving, but no machine"
                                    + " can boot and no certificate is renewed until that zone is back. 2 gives each zone of a"
                                    + " host its own.");
        }
        List<String> elsewhere = settings.extraDomains().stream()
                .filter(name -> settings.dns() == Dns.ALL && !settings.isInZone(name))
                .toList();
        if (!elsewhere.isEmpty()) {
            Annotations.of(this)
                    .addWarningV2(
                            "twinhost:extraDomains",
                            "extraDomains: " + String.join(", ", elsewhere)
                                    + (elsewhere.size() == 1 ? " is" : " are") + " not in the zone of "
                                    + settings.domain()
                                    + ", so the records are yours to make. Until each name leads to the balancer (output"
                                    + " BalancerName), no certificate is ordered or renewed, for no name.");
        }
    }

    private String sessionCommand() {
        return "aws ssm start-session --region " + getRegion() + " --target \"$(aws ec2 describe-instances --region "
                + getRegion() + " --filters Name=tag:" + SwarmHosts.STACK_TAG + ",Values=" + getStackName()
                + " Name=tag:" + SwarmHosts.ROLE_TAG + ",Values=host Name=instance-state-name,Values=running"
                + " --query 'Reservations[0].Instances[0].InstanceId' --output text)\"";
    }

    private void output(String id, String description, String value) {
        CfnOutput.Builder.create(this, id).description(description).value(value).build();
    }
}
