package dev.twinhost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.aws.AccessRequest;
import dev.twinhost.rehearsal.aws.AccessRequests;
import dev.twinhost.rehearsal.aws.Identity;
import dev.twinhost.rehearsal.aws.MachineRoles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Every call of AWS that the machines of a site make: what the scripts call, and what Amazon's own agents call, which no
 * rehearsal plays. What IAM is asked about the first is what the rehearsal asks it.
 */
final class MachineCalls {
    /** The actions behind each {@code aws SERVICE COMMAND} of the scripts; after a login to a registry, those of the pulls. */
    static final Map<String, List<String>> COMMANDS = Map.ofEntries(
            Map.entry("autoscaling complete-lifecycle-action", List.of("autoscaling:CompleteLifecycleAction")),
            Map.entry("autoscaling describe-auto-scaling-groups", List.of("autoscaling:DescribeAutoScalingGroups")),
            Map.entry("autoscaling set-instance-health", List.of("autoscaling:SetInstanceHealth")),
            Map.entry("cloudformation signal-resource", List.of("cloudformation:SignalResource")),
            Map.entry("cloudwatch put-metric-data", List.of("cloudwatch:PutMetricData")),
            // https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-ecr/lib/repository.ts, grantPull
            Map.entry(
                    "ecr get-login-password",
                    List.of(
                            "ecr:GetAuthorizationToken",
                            "ecr:BatchCheckLayerAvailability",
                            "ecr:BatchGetImage",
                            "ecr:GetDownloadUrlForLayer")),
            Map.entry("elbv2 describe-target-health", List.of("elasticloadbalancing:DescribeTargetHealth")),
            Map.entry("s3api get-object", List.of("s3:GetObject")),
            Map.entry("secretsmanager describe-secret", List.of("secretsmanager:DescribeSecret")),
            Map.entry("secretsmanager get-secret-value", List.of("secretsmanager:GetSecretValue")),
            Map.entry("ssm get-parameter", List.of("ssm:GetParameter")));

    private static final String INSTANCE = "i-0123456789abcdef0";
    private static final Pattern ECR = Pattern.compile("([0-9]+)\\.dkr\\.ecr\\.([^.]+)\\.amazonaws\\.com/([^:]+):.*");

    private final Map<String, Object> settings;
    private final Place place;
    private final Template template;
    private final Intrinsics intrinsics;
    private final AccessRequests requests;
    private final List<Call> calls = new ArrayList<>();

    /**
     * @param by who calls
     * @param resourcePolicy of the resource, where it has one; else null
     */
    record Call(String by, AccessRequest request, JsonNode resourcePolicy) {
        @Override
        public String toString() {
            return by + ": " + request.action() + " on " + request.resource();
        }
    }

    MachineCalls(Map<String, Object> settings, JsonNode json) {
        this.settings = settings;
        place = new Place(
                "Twinhost",
                "eu-central-1",
                "123456789012",
                List.of("eu-central-1a", "eu-central-1b", "eu-central-1c"),
                "0000");
        template = new Template(json);
        intrinsics = new Intrinsics(template, place);
        requests = new AccessRequests(template, place);
        addScripts();
        addMount();
        addLogAgent();
        addSystemsManagerAgent();
    }

    List<Call> all() {
        return calls;
    }

    /** A machine of each group, where what it may do differs from what the others may. */
    List<Identity> callers() {
        MachineRoles roles = new MachineRoles(template, place);
        Map<List<JsonNode>, Identity> different = new LinkedHashMap<>();
        groups().forEach(group -> {
            Identity caller = roles.identity(group.id(), INSTANCE);
            different.put(caller.policies(), caller);
        });
        return List.copyOf(different.values());
    }

    private List<Resource> groups() {
        return template.ofType("AWS::AutoScaling::AutoScalingGroup");
    }

    private void addScripts() {
        for (Resource parameter : template.ofType("AWS::SSM::Parameter")) {
            add("ssm:GetParameter", Map.of("Name", intrinsics.idOf(parameter)));
        }
        JsonNode release = release();
        add(
                "s3:GetObject",
                Map.of(
                        "Bucket",
                        release.path("bucket").asText(),
                        "Key",
                        release.path("key").asText()));
        add("cloudformation:SignalResource", Map.of("StackName", place.stackName()));
        add("elasticloadbalancing:DescribeTargetHealth", Map.of());
        add("autoscaling:DescribeAutoScalingGroups", Map.of());
        for (Resource group : groups()) {
            add(
                    "autoscaling:CompleteLifecycleAction",
                    Map.of("AutoScalingGroupName", intrinsics.idOf(group), "InstanceId", INSTANCE));
            calls.add(new Call(
                    "the scripts",
                    requests.of(
                            "autoscaling:SetInstanceHealth",
                            Map.of("InstanceId", INSTANCE),
                            instance -> Optional.of(group.id())),
                    null));
        }
        // by the name under which it is signed
        add("monitoring:PutMetricData", Map.of("Namespace", place.stackName()));
        for (Object secret : settings.get("appSecrets") instanceof Map<?, ?> secrets ? secrets.values() : List.of()) {
            add("secretsmanager:DescribeSecret", Map.of("SecretId", secret.toString()));
            add("secretsmanager:GetSecretValue", Map.of("SecretId", secret.toString()));
        }
        if (settings.get("appRegistrySecret") instanceof String secret) {
            add("secretsmanager:GetSecretValue", Map.of("SecretId", secret));
        }
        repository()
                .ifPresent(arn -> COMMANDS.get("ecr get-login-password")
                        .forEach(action -> add(
                                "the scripts and Docker",
                                action,
                                action.equals("ecr:GetAuthorizationToken") ? "*" : arn)));
    }

    /** What the parameter holds whose value names the archive. */
    private JsonNode release() {
        for (Resource parameter : template.ofType("AWS::SSM::Parameter")) {
            try {
                JsonNode value = new ObjectMapper()
                        .readTree(intrinsics
                                .resolve(parameter, parameter.properties().path("Value"))
                                .asText());
                if (value.has("bucket")) {
                    return value;
                }
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new AssertionError("No parameter names the release");
    }

    private Optional<String> repository() {
        String image = String.valueOf(settings.get("appImage"));
        if (image.startsWith("./")) {
            return Optional.of(place.arn(
                    "ecr", "repository/cdk-hnb659fds-container-assets-" + place.account() + "-" + place.region()));
        }
        return Optional.of(ECR.matcher(image))
                .filter(matcher -> matcher.matches())
                .map(found -> "arn:aws:ecr:" + found.group(2) + ":" + found.group(1) + ":repository/" + found.group(3));
    }

    private void addMount() {
        String fileSystem = template.ofType("AWS::EFS::FileSystem").stream()
                .findFirst()
                .map(intrinsics::idOf)
                .orElseGet(() -> settings.get("fileSystemId").toString());
        AccessRequests.MOUNT.forEach(action -> calls.add(new Call(
                "mount.efs",
                requests.mount(action, fileSystem, true),
                requests.fileSystemPolicy(fileSystem).orElse(null))));
    }

    // https://github.com/aws/amazon-cloudwatch-agent/blob/main/plugins/outputs/cloudwatchlogs/internal/pusher/target.go
    // makes the stream,
    // sender.go beside it puts events; what else is there is for who has it make the group or set a retention
    private void addLogAgent() {
        for (Resource group : template.ofType("AWS::Logs::LogGroup")) {
            String stream = place.arn("logs", "log-group:" + intrinsics.idOf(group) + ":log-stream:" + INSTANCE);
            add("the CloudWatch agent", "logs:CreateLogStream", stream);
            add("the CloudWatch agent", "logs:PutLogEvents", stream);
        }
    }

    /** With the resource that each action takes, on which IAM may be asked, where it takes any. */
    private void addSystemsManagerAgent() {
        String agent = "the SSM agent";
        String instance = place.arn("ec2", "instance/" + INSTANCE);
        String document = place.arn("ssm", "document/" + intrinsics.idOf(template.only("AWS::SSM::Document")));
        String association = place.arn("ssm", "association/" + intrinsics.idOf(template.only("AWS::SSM::Association")));
        // https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/ssm/service.go
        Map<String, String> ssm = new TreeMap<>(Map.of(
                "ssm:UpdateInstanceInformation", instance,
                "ssm:ListInstanceAssociations", instance,
                "ssm:ListAssociations", "*",
                "ssm:DescribeAssociation", instance,
                "ssm:GetDocument", document,
                "ssm:UpdateAssociationStatus", document,
                "ssm:UpdateInstanceAssociationStatus", association,
                "ssm:PutComplianceItems", instance));
        // Beside them in
        // https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html
        ssm.put("ssm:DescribeDocument", document);
        ssm.forEach((action, resource) -> add(agent, action, resource));
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
        for (String action : List.of(
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
                "ec2messages:AcknowledgeMessage",
                "ec2messages:DeleteMessage",
                "ec2messages:FailMessage",
                "ec2messages:GetEndpoint",
                "ec2messages:GetMessages",
                "ec2messages:SendReply")) {
            add(agent, action, "*");
        }
    }

    private void add(String call, Map<String, String> parameters) {
        calls.add(new Call("the scripts", requests.of(call, parameters, instance -> Optional.empty()), null));
    }

    private void add(String by, String action, String resource) {
        calls.add(new Call(by, new AccessRequest(action, resource, Map.of()), null));
    }

    /**
     * The {@code aws SERVICE COMMAND} in a script, and the {@code _aws(limit, "SERVICE", "COMMAND", …)} and {@code _json(…)} of
     * agent/aws.py; an option before the service is taken for one, and so for a call that is unknown.
     */
    static List<String> commands(String script) {
        return Pattern.compile(
                        "\\b(?:aws +|_(?:aws|json)\\(\\s*[\\w.]+,\\s*\")([a-z0-9-]+)(?: +|\",\\s*\")([a-z][a-z-]+)")
                .matcher(script.replaceAll("(?m)^ *#.*$", "").replace("\\\n", " "))
                .results()
                .map((MatchResult command) -> command.group(1) + " " + command.group(2))
                .toList();
    }
}
