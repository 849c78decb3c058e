package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/**
 * What services ask IAM about calls: the resource that each one makes of its parameters, and the condition keys.
 *
 * <p>Actions, their resource types and condition keys are those of
 * <a href="https://docs.aws.amazon.com/service-authorization/latest/reference/">the Service Authorization Reference</a>.
 */
public final class AccessRequests {
    /** What mounting, writing, and writing as root take: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html. */
    public static final List<String> MOUNT = List.of(
            "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess");

    private static final String MOUNT_TARGET = "elasticfilesystem:AccessedViaMountTarget";
    private static final String GROUP = "AWS::AutoScaling::AutoScalingGroup";
    private static final String EVERYTHING = "*";

    /** The machines' command line calls over TLS, also where the rehearsal does not. */
    private static final Map<String, String> TLS = Map.of("aws:SecureTransport", "true");

    private final Template template;
    private final Place place;
    private final Intrinsics intrinsics;

    public AccessRequests(Template template, Place place) {
        this.template = template;
        this.place = place;
        intrinsics = new Intrinsics(template, place);
    }

    /**
     * @param call as it is signed: service and action
     * @param groupOf the logical id of the group that has an instance
     */
    public AccessRequest of(String call, Map<String, String> parameters, Function<String, Optional<String>> groupOf) {
        return switch (call) {
            // A parameter's ARN has one slash, whether its name begins with one or not:
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
            case "ssm:GetParameter" ->
                request(
                        call,
                        arn(
                                "ssm",
                                parameters.get("Name"),
                                "parameter/" + text(parameters, "Name").replaceFirst("^/", "")));
            case "s3:GetObject" ->
                request(call, "arn:aws:s3:::" + text(parameters, "Bucket") + "/" + text(parameters, "Key"));
            case "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue" ->
                request(
                        call,
                        arn("secretsmanager", parameters.get("SecretId"), "secret:" + text(parameters, "SecretId")));
            // None takes resources.
            case "elasticloadbalancing:DescribeTargetHealth",
                    "autoscaling:DescribeAutoScalingGroups",
                    "ecr:GetAuthorizationToken" -> request(call, EVERYTHING);
            case "monitoring:PutMetricData" ->
                // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
                request(
                        "cloudwatch:PutMetricData",
                        EVERYTHING,
                        Map.of("cloudwatch:namespace", text(parameters, "Namespace")));
            // A stack by name is all of that name, with the star as it stands here; the id is the id:
            // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
            // and https://github.com/awslabs/ecs-refarch-continuous-deployment/issues/21
            case "cloudformation:SignalResource" ->
                request(
                        call,
                        arn(
                                "cloudformation",
                                parameters.get("StackName"),
                                "stack/" + text(parameters, "StackName") + "/*"));
            case "autoscaling:CompleteLifecycleAction" ->
                ofGroup(call, named(text(parameters, "AutoScalingGroupName")));
            case "autoscaling:SetInstanceHealth" ->
                ofGroup(call, groupOf.apply(text(parameters, "InstanceId")).flatMap(template::resource));
            default -> throw new AwsError(400, "InvalidAction", "The rehearsal cannot judge " + call);
        };
    }

    /** What EFS asks about a mount. The mount target is there however it is reached; TLS is an option of the mount. */
    // https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    public AccessRequest mount(String action, String fileSystem, boolean tls) {
        return new AccessRequest(
                action,
                fileSystemArn(fileSystem),
                Map.of(MOUNT_TARGET, "true", "aws:SecureTransport", String.valueOf(tls)));
    }

    /**
     * The policy of a file system of the template: where it has none, EFS's own, which lets everybody in who comes through
     * a mount target. A statement without a resource is one about the file system.
     *
     * @return empty where the file system is not of this template
     */
    // https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html#default-filesystempolicy
    public Optional<JsonNode> fileSystemPolicy(String fileSystem) {
        return template.ofType("AWS::EFS::FileSystem").stream()
                .filter(resource -> intrinsics.idOf(resource).equals(fileSystem))
                .findFirst()
                .map(resource -> {
                    JsonNode written = resource.properties().path("FileSystemPolicy");
                    JsonNode policy = intrinsics.resolve(resource, written.isMissingNode() ? everybody() : written);
                    policy.path("Statement").forEach(statement -> {
                        if (!statement.has("Resource")) {
                            ((ObjectNode) statement).put("Resource", fileSystemArn(fileSystem));
                        }
                    });
                    return policy;
                });
    }

    private static JsonNode everybody() {
        ObjectNode policy = JsonNodeFactory.instance.objectNode().put("Version", "2012-10-17");
        ObjectNode statement =
                policy.putArray("Statement").addObject().put("Effect", "Allow").put("Principal", "*");
        MOUNT.forEach(statement.putArray("Action")::add);
        statement.putObject("Condition").putObject("Bool").put(MOUNT_TARGET, "true");
        return policy;
    }

    private String fileSystemArn(String fileSystem) {
        return place.arn("elasticfilesystem", "file-system/" + fileSystem);
    }

    private Optional<Resource> named(String name) {
        return template.ofType(GROUP).stream()
                .filter(group -> intrinsics.idOf(group).equals(name))
                .findFirst();
    }

    /** Both actions know the tags of their group, by a key of their own and by the common one. */
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
    private AccessRequest ofGroup(String action, Optional<Resource> found) {
        if (found.isEmpty()) {
            return request(action, groupArn("unknown"));
        }
        Resource group = found.get();
        Map<String, String> tags = new TreeMap<>();
        intrinsics.resolve(group, group.properties().path("Tags")).forEach(tag -> {
            tags.put(
                    "autoscaling:ResourceTag/" + tag.path("Key").asText(),
                    tag.path("Value").asText());
            tags.put(
                    "aws:ResourceTag/" + tag.path("Key").asText(),
                    tag.path("Value").asText());
        });
        return request(action, groupArn(intrinsics.idOf(group)), tags);
    }

    private String groupArn(String name) {
        return place.arn(
                "autoscaling",
                "autoScalingGroup:" + UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8))
                        + ":autoScalingGroupName/" + name);
    }

    /** What is given as an ARN is that ARN. */
    private String arn(String service, String given, String otherwise) {
        return given != null && given.startsWith("arn:") ? given : place.arn(service, otherwise);
    }

    private static String text(Map<String, String> parameters, String name) {
        return parameters.getOrDefault(name, "");
    }

    private static AccessRequest request(String action, String resource) {
        return request(action, resource, Map.of());
    }

    private static AccessRequest request(String action, String resource, Map<String, String> keys) {
        Map<String, String> context = new TreeMap<>(TLS);
        context.putAll(keys);
        return new AccessRequest(action, resource, context);
    }
}
