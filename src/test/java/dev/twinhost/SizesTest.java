package dev.twinhost;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.assembly.Resource;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongBiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing in any variant is larger, and nothing is there more often, than AWS takes without a raised quota. */
class SizesTest {
    private static final String CLOUDFORMATION =
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html";
    private static final String IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";
    private static final String VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html";
    private static final String EC2 = "https://docs.aws.amazon.com/AWSEC2/latest/";
    private static final String SSM = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/";

    /** Longer than those of AWS's examples; the handle's address in the rehearsal is shorter. */
    private static final int SIGNED_ADDRESS = 1_000;

    private enum Size {
        /** Above 51,200 it has to come from a bucket, into which the CDK puts every template. */
        TEMPLATE(1_000_000, "bytes", CLOUDFORMATION) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return Map.of("template", (long) bytes(template.json().toPrettyString()));
            }
        },
        RESOURCES(500, "resources", CLOUDFORMATION) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return count(template, "Resources");
            }
        },
        OUTPUTS(200, "outputs", CLOUDFORMATION) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return count(template, "Outputs");
            }
        },
        PARAMETERS(200, "parameters", CLOUDFORMATION) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return count(template, "Parameters");
            }
        },
        /** Before it is base64. */
        USER_DATA(16 * 1024, "bytes", EC2 + "APIReference/API_RequestLaunchTemplateData.html") {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return each(
                        template,
                        "AWS::EC2::LaunchTemplate",
                        (launchTemplate, data) -> Base64.getDecoder()
                                .decode(data.path("LaunchTemplateData")
                                        .path("UserData")
                                        .asText())
                                .length);
            }
        },
        GROUPS_OF_AN_INTERFACE(5, "security groups", VPC) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return each(
                        template,
                        "AWS::EC2::LaunchTemplate",
                        (launchTemplate, data) -> data.path("LaunchTemplateData")
                                .path("SecurityGroupIds")
                                .size());
            }
        },
        INBOUND_RULES_OF_A_GROUP(60, "rules", VPC) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return rules(template, "AWS::EC2::SecurityGroupIngress", "SecurityGroupIngress");
            }
        },
        OUTBOUND_RULES_OF_A_GROUP(60, "rules", VPC) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return rules(template, "AWS::EC2::SecurityGroupEgress", "SecurityGroupEgress");
            }
        },
        TAGS_OF_A_RESOURCE(50, "tags", EC2 + "UserGuide/Using_Tags.html") {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                Map<String, Long> tags = new TreeMap<>();
                template.resources()
                        .forEach(resource -> Stream.of("Tags", "FileSystemTags")
                                .flatMap(name -> resource.properties().findValues(name).stream())
                                .forEach(found -> tags.merge(resource.id(), (long) found.size(), Math::max)));
                return tags;
            }
        },
        /** Of all its inline policies together; white space is not counted. */
        POLICIES_OF_A_ROLE(10_240, "characters", IAM) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                Map<String, Long> characters = new TreeMap<>();
                for (Resource policy : template.ofType("AWS::IAM::Policy")) {
                    JsonNode properties = template.properties(policy);
                    properties
                            .path("Roles")
                            .forEach(role -> characters.merge(
                                    role.asText(), length(properties.path("PolicyDocument")), Long::sum));
                }
                return characters;
            }
        },
        TRUST_POLICY(2_048, "characters", IAM) {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return each(template, "AWS::IAM::Role", (role, data) -> length(data.path("AssumeRolePolicyDocument")));
            }
        },
        FILE_SYSTEM_POLICY(
                20_000, "characters", "https://docs.aws.amazon.com/efs/latest/ug/API_PutFileSystemPolicy.html") {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                return each(
                        template, "AWS::EFS::FileSystem", (fileSystem, data) -> length(data.path("FileSystemPolicy")));
            }
        },
        /** Of the standard tier. */
        PARAMETER(4 * 1024, "bytes", SSM + "API_PutParameter.html") {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                Collection<String> handles = template.ofType("AWS::CloudFormation::WaitConditionHandle").stream()
                        .map(Resource::id)
                        .toList();
                return each(template, "AWS::SSM::Parameter", (parameter, data) -> {
                    long addresses = parameter.properties().findValuesAsText("Ref").stream()
                            .filter(handles::contains)
                            .count();
                    return bytes(data.path("Value").asText()) + addresses * SIGNED_ADDRESS;
                });
            }
        },
        /** With what its associations hand to it. */
        DOCUMENT(64 * 1024, "bytes", SSM + "API_CreateDocument.html") {
            @Override
            Map<String, Long> in(DeployedTemplate template) {
                long handed = each(
                                template,
                                "AWS::SSM::Association",
                                (association, data) ->
                                        bytes(data.path("Parameters").toString()))
                        .values()
                        .stream()
                        .mapToLong(Long::longValue)
                        .sum();
                return each(
                        template,
                        "AWS::SSM::Document",
                        (document, data) -> bytes(data.path("Content").toString()) + handed);
            }
        };

        private final long most;
        private final String unit;
        private final String source;

        Size(long most, String unit, String source) {
            this.most = most;
            this.unit = unit;
            this.source = source;
        }

        /** The size of each thing of this kind, by its id. */
        abstract Map<String, Long> in(DeployedTemplate template);
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void shouldStayWithinWhatAwsTakes(Size size) {
        long greatest = 0;
        for (Variant variant : Matrix.variants()) {
            for (JsonNode template : variant.templates()) {
                Map<String, Long> sizes = size.in(new DeployedTemplate(template));

                assertThat(sizes.values())
                        .as("%s of %s: %s, see %s", size, variant, sizes, size.source)
                        .allMatch(found -> found <= size.most);
                greatest = sizes.values().stream().reduce(greatest, Math::max);
            }
        }
        System.out.printf("%s: at most %,d of %,d %s%n", size, greatest, size.most, size.unit);

        assertThat(greatest).as("nothing is measured").isPositive();
    }

    @Test
    void shouldMeasureWhatTheServicesMeasure() {
        ObjectNode template = new ObjectMapper().createObjectNode();
        ObjectNode resources = template.putObject("Resources");
        properties(resources, "Group", "AWS::EC2::SecurityGroup")
                .putArray("SecurityGroupIngress")
                .addObject();
        for (int i = 0; i < 60; i++) {
            properties(resources, "Rule" + i, "AWS::EC2::SecurityGroupIngress")
                    .putObject("GroupId")
                    .putArray("Fn::GetAtt")
                    .add("Group")
                    .add("GroupId");
        }
        properties(resources, "Role", "AWS::IAM::Role");
        for (int i = 0; i < 2; i++) {
            ObjectNode policy = properties(resources, "Policy" + i, "AWS::IAM::Policy");
            policy.put("PolicyDocument", "x x".repeat(3_000));
            policy.putArray("Roles").addObject().put("Ref", "Role");
        }
        ArrayNode parts = properties(resources, "Launch", "AWS::EC2::LaunchTemplate")
                .putObject("LaunchTemplateData")
                .putObject("UserData")
                .putObject("Fn::Base64")
                .putArray("Fn::Join");
        parts.add("").addArray().add("x".repeat(16_384)).add("é");
        DeployedTemplate deployed = new DeployedTemplate(template);

        assertThat(Size.INBOUND_RULES_OF_A_GROUP.in(deployed)).containsValues(61L);
        assertThat(Size.POLICIES_OF_A_ROLE.in(deployed)).containsValues(2 * (2 * 3_000L + 2));
        assertThat(Size.USER_DATA.in(deployed)).containsValues(16_386L);
        assertThat(Size.RESOURCES.in(deployed)).containsValues(65L);
    }

    private static ObjectNode properties(ObjectNode resources, String id, String type) {
        return resources.putObject(id).put("Type", type).putObject("Properties");
    }

    private static Map<String, Long> count(DeployedTemplate template, String part) {
        return Map.of(part, (long) template.json().path(part).size());
    }

    private static Map<String, Long> each(
            DeployedTemplate template, String type, ToLongBiFunction<Resource, JsonNode> measure) {
        Map<String, Long> sizes = new TreeMap<>();
        template.ofType(type)
                .forEach(resource ->
                        sizes.put(resource.id(), measure.applyAsLong(resource, template.properties(resource))));
        return sizes;
    }

    /** Those that stand in the group itself, and those that are resources of their own. */
    private static Map<String, Long> rules(DeployedTemplate template, String type, String property) {
        Map<String, Long> rules = new TreeMap<>();
        template.ofType("AWS::EC2::SecurityGroup")
                .forEach(group -> rules.merge(
                        template.id(group),
                        (long) group.properties().path(property).size(),
                        Long::sum));
        template.ofType(type)
                .forEach(rule ->
                        rules.merge(template.properties(rule).path("GroupId").asText(), 1L, Long::sum));
        return rules;
    }

    private static long length(JsonNode document) {
        return document.toString().replaceAll("\\s", "").length();
    }

    private static int bytes(String text) {
        return text.getBytes(UTF_8).length;
    }
}
