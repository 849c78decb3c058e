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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        group.oneOf("HealthCheckType", "EC2", "EC2");
        int smallest = group.number("MinSize", 0);
        Optional<Integer> desired = group.has("DesiredCapacity")
                ? Optional.of(group.number("DesiredCapacity", smallest))
                : Optional.empty();
        int largest = group.number("MaxSize", desired.orElse(smallest));
        Duration gracePeriod = Duration.ofSeconds(group.number("HealthCheckGracePeriod", 0));
        Optional<TerminationHook> goodbye = goodbye(group);
        Optional<MaintenancePolicy> maintenance = maintenance(group);
        Map<String, String> tags = new LinkedHashMap<>();
        for (Properties tag : group.objects("Tags")) {
            tags.put(tag.text("Key"), tag.text("Value"));
            tag.leave("PropagateAtLaunch");
            tag.end();
        }
        Properties named = group.object("LaunchTemplate");
        String templateId = named.text("LaunchTemplateId");
        named.leave("Version");
        named.end();
        List<Subnet> subnets =
                group.texts("VPCZoneIdentifier").stream().map(vpc::subnet).toList();
        List<String> targetGroups = group.texts("TargetGroupARNs");
        MachineGroup.Termination termination = termination(group);
        group.leave("AutoScalingGroupName", "Cooldown", "MaxInstanceLifetime", "MetricsCollection");
        group.end();
        JsonNode signal = resource.creationPolicy().path("ResourceSignal");
        return new MachineGroup(
                resource.id(),
                intrinsics.idOf(resource),
                desired,
                smallest,
                largest,
                signal.isMissingNode() ? 0 : signal.path("Count").asInt(1),
                Duration.parse(signal.path("Timeout").asText("PT5M")),
                gracePeriod,
                goodbye,
                maintenance,
                termination,
                update(resource, largest),
                tags,
                subnets,
                targetGroups,
                launchTemplate(templateId),
                after);
    }

    private static Optional<TerminationHook> goodbye(Properties group) {
        List<Properties> hooks = group.objects("LifecycleHookSpecificationList");
        if (hooks.size() > 1) {
            throw group.unplayable("a second lifecycle hook");
        }
        return hooks.stream().findFirst().map(hook -> {
            hook.oneOf("LifecycleTransition", "", "autoscaling:EC2_INSTANCE_TERMINATING");
            // Whether the one hook of a machine that ends is continued or abandoned, it ends.
            hook.oneOf("DefaultResult", "ABANDON", "ABANDON", "CONTINUE");
            TerminationHook found = new TerminationHook(
                    hook.text("LifecycleHookName"), Duration.ofSeconds(hook.number("HeartbeatTimeout", 3600)));
            hook.end();
            return found;
        });
    }

    private static MachineGroup.Termination termination(Properties group) {
        List<String> policies = group.texts("TerminationPolicies");
        return switch (policies.isEmpty() ? "Default" : String.join(", ", policies)) {
            case "Default", "OldestInstance" -> MachineGroup.Termination.OLDEST;
            case "NewestInstance" -> MachineGroup.Termination.NEWEST;
            default ->
                throw group.unplayable("TerminationPolicies = " + String.join(", ", policies)
                        + "; it plays Default, NewestInstance and OldestInstance, one of them");
        };
    }

    private static Optional<MaintenancePolicy> maintenance(Properties group) {
        Duration warmup = Duration.ofSeconds(group.number("DefaultInstanceWarmup", 0));
        if (!group.has("InstanceMaintenancePolicy")) {
            return Optional.empty();
        }
        Properties policy = group.object("InstanceMaintenancePolicy");
        int least = policy.number("MinHealthyPercentage", -1);
        int most = policy.number("MaxHealthyPercentage", -1);
        if (least < 0 || least > 100 || most < 100 || most > 200 || most - least > 100) {
            throw group.unplayable("an InstanceMaintenancePolicy of " + least + " to " + most + " percent");
        }
        policy.end();
        return Optional.of(new MaintenancePolicy(least, most, warmup));
    }

    /** The defaults are those of CloudFormation. */
    private Optional<RollingUpdate> update(Resource resource, int largest) {
        Properties policy = Properties.ofUpdatePolicy(intrinsics, resource);
        Properties scheduled = policy.object("AutoScalingScheduledAction");
        boolean keepsSizes = scheduled.flag("IgnoreUnmodifiedGroupSizeProperties", false);
        scheduled.end();
        boolean rolls = policy.has("AutoScalingRollingUpdate");
        Properties rolling = policy.object("AutoScalingRollingUpdate");
        policy.end();
        if (!rolls) {
            return Optional.empty();
        }
        boolean waits = rolling.flag("WaitOnResourceSignals", false);
        RollingUpdate found = new RollingUpdate(
                rolling.number("MinInstancesInService", 0),
                rolling.number("MaxBatchSize", 1),
                rolling.number("MinSuccessfulInstancesPercent", 100),
                waits,
                Duration.parse(rolling.text("PauseTime", waits ? "PT5M" : "PT0S")),
                rolling.texts("SuspendProcesses"),
                keepsSizes);
        rolling.end();
        if (found.minInService() >= largest) {
            throw rolling.unplayable("MinInstancesInService = " + found.minInService()
                    + ", which CloudFormation wants below MaxSize = " + largest);
        }
        return Optional.of(found);
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
