package dev.twinhost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.settings.ReleaseTime;
import dev.twinhost.settings.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awscdk.CfnWaitCondition;
import software.amazon.awscdk.CfnWaitConditionHandle;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.s3.assets.Asset;
import software.amazon.awscdk.services.ssm.CfnAssociation;
import software.amazon.awscdk.services.ssm.CfnDocument;
import software.amazon.awscdk.services.ssm.StringParameter;
import software.constructs.Construct;

/**
 * What runs on the hosts, as one archive, and the way it gets there: a parameter that names it, and a document with
 * which Systems Manager starts it on the machines of the Swarm, one at a time. The deploy waits for the first machine's
 * answer: success, or failure with the reason.
 *
 * <p>CloudFormation wants a new handle for every answer, so its id and that of the condition carry the release's hash:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-waitconditionhandle.html. The handle is
 * a URL that lets whoever has it answer, success too. It is known only at the deploy and has a parameter of its own, so that
 * neither the archive nor the release's parameter, which hosts keep and log, holds it. It is the handle's physical id as well:
 * who may list the stack's resources, or read that parameter, has it.
 *
 * <p>A release never replaces a machine. The machines read every release of this stack, older ones too: a host that
 * boots applies the last one that converged, which need not be the newest.
 */
final class SiteRelease extends Construct {
    private static final int HASH_IN_IDS = 16;

    private final ReleaseTime time;
    private final ApplicationImage image;
    private final String sha256;
    private final Asset asset;
    private final CfnWaitConditionHandle handle;
    private final StringParameter answer;
    private final StringParameter parameter;
    private final CfnDocument document;
    private final List<String> secrets;
    private final Optional<String> registrySecret;

    SiteRelease(Construct scope, String id, Settings settings, Path checkout, EdgeLoadBalancer balancer) {
        super(scope, id);
        time = settings.releaseTime();
        image = new ApplicationImage(this, "Application", settings, checkout);
        ReleaseArchive archive = new ReleaseArchive(checkout, exports(settings, image));
        sha256 = archive.sha256();
        asset = createAsset(archive);
        handle = createHandle();
        answer = createAnswerParameter();
        parameter = createParameter(balancer);
        document = createDocument();
        registrySecret = settings.appRegistrySecret();
        secrets = settings.appSecrets().values().stream().distinct().toList();
    }

    private static Map<String, String> exports(Settings settings, ApplicationImage image) {
        Map<String, String> exports = new LinkedHashMap<>();
        exports.put("TWINHOST_DOMAIN", settings.domain());
        exports.put("TWINHOST_EMAIL", settings.email());
        exports.put("TWINHOST_ACME_DIRECTORY", settings.acme().directory());
        exports.put("TWINHOST_ACME_NAME", settings.acme().name());
        exports.put("TWINHOST_ACME_PROFILE", settings.acmeProfile().orElse(""));
        exports.put("TWINHOST_EXTRA_DOMAINS", String.join(" ", settings.extraDomains()));
        exports.put("TWINHOST_APP_IMAGE", image.name());
        exports.put("TWINHOST_APP_REGISTRY_SECRET", settings.appRegistrySecret().orElse(""));
        exports.put("TWINHOST_APP_PORT", String.valueOf(settings.appPort()));
        exports.put("TWINHOST_APP_REPLICAS", String.valueOf(settings.appReplicas()));
        exports.put("TWINHOST_APP_START_SECONDS", String.valueOf(settings.appStartSeconds()));
        exports.put(
                "TWINHOST_APP_PARALLELISM",
                String.valueOf(settings.releaseTime().parallelism()));
        exports.put("TWINHOST_APP_HEALTH_PATH", settings.appHealthPath().orElse(""));
        exports.put("TWINHOST_APP_ENVIRONMENT", json(settings.appEnvironment()));
        exports.put("TWINHOST_APP_SECRETS", json(settings.appSecrets()));
        exports.put("TWINHOST_CACHE_MAX_SIZE", settings.cacheMaxSize());
        exports.put("TWINHOST_REQUESTS_PER_ADDRESS", String.valueOf(settings.requestsPerAddress()));
        exports.put("TWINHOST_HSTS_PRELOAD", String.valueOf(settings.hstsPreload()));
        exports.put("TWINHOST_MAINTENANCE", String.valueOf(settings.maintenance()));
        exports.put("TWINHOST_EDGE_IMAGE", settings.edgeImage().orElse(""));
        exports.put("TWINHOST_CERTBOT_IMAGE", settings.certbotImage().orElse(""));
        exports.put("TWINHOST_MANAGERS", settings.witness() ? "3" : "2");
        exports.put(
                "TWINHOST_CONVERGE_SECONDS",
                String.valueOf(settings.releaseTime().convergeSeconds()));
        exports.put(
                "TWINHOST_BACK_SECONDS", String.valueOf(settings.releaseTime().backSeconds()));
        exports.put(
                "TWINHOST_TURN_SECONDS", String.valueOf(settings.releaseTime().turnSeconds()));
        // No condition can be updated, and only a new release is started on the machines, which then answer: another
        // limit has to
        // be another release.
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-waitcondition.html
        exports.put(
                "TWINHOST_DEPLOY_SECONDS", String.valueOf(settings.releaseTime().answerSeconds()));
        exports.put("TWINHOST_LAME_DUCK", String.valueOf(EdgeLoadBalancer.lameDuckSeconds()));
        exports.put("TWINHOST_EDGE_UPDATE_DELAY", String.valueOf(EdgeLoadBalancer.edgeUpdateDelaySeconds()));
        return exports;
    }

    private static String json(Map<String, String> texts) {
        try {
            return new ObjectMapper().writeValueAsString(texts);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Asset createAsset(ReleaseArchive archive) {
        try {
            Path zip = Files.createTempFile("twinhost-release-", ".zip");
            try {
                Files.write(zip, archive.bytes());
                // Copied into the cloud assembly at once, so the file may go.
                return Asset.Builder.create(this, "Archive")
                        .path(zip.toString())
                        .displayName("Twinhost release")
                        .build();
            } finally {
                Files.delete(zip);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private CfnWaitConditionHandle createHandle() {
        CfnWaitConditionHandle made = new CfnWaitConditionHandle(this, "Handle");
        made.overrideLogicalId("ReleaseHandle" + sha256.substring(0, HASH_IN_IDS));
        return made;
    }

    private StringParameter createAnswerParameter() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("sha256", sha256);
        value.put("url", handle.getRef());
        return StringParameter.Builder.create(this, "Answer")
                .description("Where the machines say how the release ended")
                .stringValue(Stack.of(this).toJsonString(value))
                .build();
    }

    private StringParameter createParameter(EdgeLoadBalancer balancer) {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("bucket", asset.getS3BucketName());
        value.put("key", asset.getS3ObjectKey());
        value.put("sha256", sha256);
        image.uri().ifPresent(uri -> value.put("appImage", uri));
        value.put("balancer", balancer.balancer().getLoadBalancerDnsName());
        value.put("targetGroups", balancer.targetGroupArns());
        value.put("answer", answer.getParameterName());
        return StringParameter.Builder.create(this, "Current")
                .description("The release that the machines of the Swarm apply")
                .stringValue(Stack.of(this).toJsonString(value))
                .build();
    }

    private CfnDocument createDocument() {
        return CfnDocument.Builder.create(this, "Document")
                .documentType("Command")
                .documentFormat("JSON")
                .targetType("/AWS::EC2::Instance")
                // No update method: a changed document is a new one, whose name the association then takes, in place.
                // New versions of one document cannot go back:
                // https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2539
                .content(JsonResource.read(
                        "release-document.json",
                        Map.of(
                                "COMMAND_SECONDS", String.valueOf(time.commandSeconds()),
                                "STEP_SECONDS", String.valueOf(time.stepSeconds()))))
                .build();
    }

    /** Starts every new release on these machines, which have to exist first, and then waits for their answer. */
    void runOn(SwarmHosts hosts) {
        CfnAssociation association = CfnAssociation.Builder.create(this, "Association")
                .name(document.getRef())
                .targets(List.of(CfnAssociation.TargetProperty.builder()
                        .key("tag:" + SwarmHosts.STACK_TAG)
                        .values(List.of(Stack.of(this).getStackName()))
                        .build()))
                .parameters(Map.of("Release", List.of(sha256)))
                .maxConcurrency("1")
                .maxErrors("0")
                .build();
        association.getNode().addDependency(hosts, parameter);
        CfnWaitCondition condition = CfnWaitCondition.Builder.create(this, "Condition")
                .handle(handle.getRef())
                .timeout(String.valueOf(time.answerSeconds()))
                .count(1)
                .build();
        condition.overrideLogicalId("ReleaseAnswer" + sha256.substring(0, HASH_IN_IDS));
        condition.addResourceDependency(association);
    }

    /**
     * Lets a machine learn the current release and where to answer, fetch it, or an older one of this stack, pull
     * the application's image, and read its secrets, which the release brings to the Swarm, and the login to its registry.
     */
    List<PolicyStatement> readStatements() {
        List<PolicyStatement> statements = new ArrayList<>(archiveStatements());
        statements.addAll(image.pullStatements());
        if (!secrets.isEmpty()) {
            statements.add(PolicyStatement.Builder.create()
                    .sid("ReadTheSecretsOfTheApplication")
                    .actions(List.of("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"))
                    .resources(secrets)
                    .build());
        }
        registrySecret.ifPresent(secret -> statements.add(PolicyStatement.Builder.create()
                .sid("ReadTheLoginToTheRegistry")
                .actions(List.of("secretsmanager:GetSecretValue"))
                .resources(List.of(secret))
                .build()));
        return statements;
    }

    private List<PolicyStatement> archiveStatements() {
        String key = asset.getS3ObjectKey();
        String folder = key.substring(0, key.lastIndexOf('/') + 1);
        return List.of(
                PolicyStatement.Builder.create()
                        .sid("LearnTheRelease")
                        .actions(List.of("ssm:GetParameter"))
                        .resources(List.of(parameter.getParameterArn(), answer.getParameterArn()))
                        .build(),
                PolicyStatement.Builder.create()
                        .sid("FetchReleases")
                        .actions(List.of("s3:GetObject"))
                        .resources(List.of(asset.getBucket().arnForObjects(folder + "*.zip")))
                        .build());
    }

    StringParameter parameter() {
        return parameter;
    }
}
