package dev.twinhost.rehearsal.site;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.assembly.Unplayable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** Reads the auto scaling groups and their launch templates. */
final class MachinesReader {
    private static final String GROUP = "AWS::AutoScaling::AutoScalingGroup";

    private final Template template;
    private final Intrinsics intrinsics;

    MachinesReader(Template template, Intrinsics intrinsics) {
        this.template = template;
        this.intrinsics = intrinsics;
    }

    List<MachineGroup> groups(Vpc vpc) {
        List<String> ids = template.ofType(GROUP).stream().map(Resource::id).toList();
        List<MachineGroup> groups = new ArrayList<>();
        for (Resource resource : template.ofType(GROUP)) {
            List<String> after = new ArrayList<>(template.madeBefore(resource));
            after.retainAll(ids);
            groups.add(group(resource, vpc, after));
        }
        return groups;
    }

    private MachineGroup group(Resource resource, Vpc vpc, List<String> after) {
        Properties group = new Properties(intrinsics, resource);
        int size = group.number("DesiredCapacity", group.number("MinSize", 0));
        group.oneOf("HealthCheckType", "EC2", "EC2");
        for (Properties hook : group.objects("LifecycleHookSpecificationList")) {
            hook.oneOf("LifecycleTransition", "", "autoscaling:EC2_INSTANCE_TERMINATING");
            hook.leave("LifecycleHookName", "HeartbeatTimeout", "DefaultResult");
            hook.end();
        }
        Properties named = group.object("LaunchTemplate");
        String templateId = named.text("LaunchTemplateId");
        named.leave("Version");
        named.end();
        List<Subnet> subnets =
                group.texts("VPCZoneIdentifier").stream().map(vpc::subnet).toList();
        List<String> targetGroups = group.texts("TargetGroupARNs");
        group.leave(
                "AutoScalingGroupName",
                "Cooldown",
                "DefaultInstanceWarmup",
                "HealthCheckGracePeriod",
                "InstanceMaintenancePolicy",
                "MaxInstanceLifetime",
                "MaxSize",
                "MetricsCollection",
                "MinSize",
                "Tags",
                "TerminationPolicies");
        group.end();
        JsonNode signal = resource.creationPolicy().path("ResourceSignal");
        return new MachineGroup(
                resource.id(),
                intrinsics.idOf(resource),
                size,
                signal.isMissingNode() ? 0 : signal.path("Count").asInt(1),
                Duration.parse(signal.path("Timeout").asText("PT5M")),
                subnets,
                targetGroups,
                launchTemplate(templateId),
                after);
    }

    private LaunchTemplate launchTemplate(String id) {
        Resource resource = template.ofType("AWS::EC2::LaunchTemplate").stream()
                .filter(candidate -> intrinsics.idOf(candidate).equals(id))
                .findFirst()
                .orElseThrow();
        Properties whole = new Properties(intrinsics, resource);
        whole.leave("LaunchTemplateName", "TagSpecifications", "VersionDescription");
        Properties data = whole.object("LaunchTemplateData");
        whole.end();
        String userData = data.text("UserData");
        List<String> securityGroups = data.texts("SecurityGroupIds");
        Optional<Boolean> publicAddress = Optional.empty();
        List<Properties> interfaces = data.objects("NetworkInterfaces");
        if (interfaces.size() > 1) {
            throw data.unplayable("a second network interface");
        }
        if (!interfaces.isEmpty()) {
            Properties only = interfaces.get(0);
            securityGroups = only.texts("Groups");
            publicAddress = only.optional("AssociatePublicIpAddress").map(Boolean::valueOf);
            only.leave("DeviceIndex", "DeleteOnTermination");
            only.end();
        }
        int hops = metadataHops(data.object("MetadataOptions"));
        String instanceType = data.text("InstanceType");
        data.leave(
                "BlockDeviceMappings",
                "CreditSpecification",
                "EbsOptimized",
                "IamInstanceProfile",
                "ImageId",
                "Monitoring",
                "TagSpecifications");
        data.end();
        return new LaunchTemplate(instanceType, decode(resource, userData), securityGroups, hops, publicAddress);
    }

    private static int metadataHops(Properties options) {
        options.oneOf("HttpEndpoint", "enabled", "enabled");
        options.oneOf("HttpTokens", "optional", "required");
        options.oneOf("HttpProtocolIpv6", "disabled", "disabled");
        options.oneOf("InstanceMetadataTags", "disabled", "disabled");
        int hops = options.number("HttpPutResponseHopLimit", 1);
        options.end();
        return hops;
    }

    private static String decode(Resource resource, String userData) {
        byte[] bytes = Base64.getDecoder().decode(userData);
        if (bytes.length > 16 * 1024) {
            throw new Unplayable(resource, "UserData of " + bytes.length + " bytes; EC2 takes 16384");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
