package dev.twinhost.rehearsal.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.SmallAssembly;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IntrinsicsTest {
    private static final Template TEMPLATE = new Template(new SmallAssembly().template());
    private static final Intrinsics INTRINSICS = new Intrinsics(TEMPLATE, Place.of("Small", "0000"));

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"Ref": "AWS::Region"}                                        | "eu-central-1"
                    {"Ref": "AWS::StackName"}                                     | "Small"
                    {"Ref": "Size"}                                               | 2
                    {"Fn::Join": ["-", ["a", {"Ref": "AWS::Partition"}, 3]]}      | "a-aws-3"
                    {"Fn::Select": ["1", {"Fn::GetAZs": {"Ref": "AWS::Region"}}]} | "eu-central-1b"
                    {"Fn::Split": [".", "a.b."]}                                  | ["a","b",""]
                    {"Fn::Select": [1, {"Fn::Split": ["/", "x/y"]}]}              | "y"
                    {"Fn::Base64": {"Fn::Sub": "r=${AWS::Region}"}}               | "cj1ldS1jZW50cmFsLTE="
                    {"Fn::Sub": "${!Kept} $HOME ${Vpc.CidrBlock}"}                | "${Kept} $HOME 10.42.0.0/16"
                    {"Fn::Sub": ["${Own}/${AWS::URLSuffix}", {"Own": "o\\\\$1"}]} | "o\\\\$1/amazonaws.com"
                    {"Fn::GetAtt": ["SubnetB", "AvailabilityZone"]}               | "eu-central-1b"
                    {"Fn::GetAtt": "HostTemplate.LatestVersionNumber"}            | "1"
                    {"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]} | {"b":[1]}
                    """)
    void shouldResolveAsCloudFormationDoes(String written, String resolved) throws JsonProcessingException {
        assertThat(resolve(written)).hasToString(resolved);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"Ref": "Vpc"}                                | vpc-0[0-9a-f]{16}
                    {"Ref": "Files"}                              | fs-0[0-9a-f]{16}
                    {"Ref": "Image"}                              | ami-0[0-9a-f]{16}
                    {"Ref": "Release"}                            | CFN-Release-[0-9A-F]{12}
                    {"Ref": "Hosts"}                              | Small-Hosts-[0-9A-F]{12}
                    {"Fn::GetAtt": ["HostsGroup", "GroupId"]}     | sg-0[0-9a-f]{16}
                    {"Fn::GetAtt": ["Balancer", "DNSName"]}       | Small-Balanc-[0-9A-F]{12}-[0-9a-f]{16}\\.elb\\.eu-central-1\\.amazonaws\\.com
                    {"Fn::GetAtt": ["MachineRole", "Arn"]}        | arn:aws:iam::123456789012:role/Small-MachineRole-[0-9A-F]{12}
                    {"Ref": "HttpsTargets"}                       | arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/Small-HttpsT-[0-9A-F]{12}/[0-9a-f]{16}
                    """)
    void shouldNameResourcesAsAwsDoes(String written, String pattern) throws JsonProcessingException {
        assertThat(resolve(written).asText()).matches(pattern);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"Fn::If": ["c", 1, 2]}                  | Fn::If
                    {"Fn::FindInMap": ["m", "a", "b"]}       | Fn::FindInMap
                    {"Fn::ImportValue": "x"}                 | Fn::ImportValue
                    {"Ref": "Nobody"}                        | Ref Nobody, which is not there
                    {"Fn::GetAtt": ["Nobody", "Arn"]}        | Fn::GetAtt of Nobody, which is not there
                    {"Ref": "Version"}                       | Ref Version, a parameter of type AWS::SSM::Parameter::Value<String>
                    {"Fn::Select": [3, {"Fn::GetAZs": ""}]}  | Fn::Select of element 3 from a list of 3
                    {"Fn::Join": ["", [["a"]]]}              | Fn::Join of what is not a text: ["a"]
                    {"Fn::GetAZs": "us-east-1"}              | Fn::GetAZs of another region: us-east-1
                    """)
    void shouldRefuseWhatItCannotResolve(String written, String what) {
        assertThatExceptionOfType(Unplayable.class)
                .isThrownBy(() -> resolve(written))
                .withMessage("AWS::EC2::VPC Vpc: the rehearsal cannot play " + what);
    }

    @Test
    void shouldRefuseAnAttributeThatItDoesNotKnow() {
        assertThatExceptionOfType(Unplayable.class)
                .isThrownBy(() -> resolve("{\"Fn::GetAtt\": [\"Files\", \"Size\"]}"))
                .withMessage("AWS::EFS::FileSystem Files: the rehearsal cannot play its attribute Size");
    }

    @Test
    void shouldKnowWhatIsMadeBeforeAResource() {
        Resource witness = TEMPLATE.resource("Witness").orElseThrow();
        assertThat(TEMPLATE.madeBefore(witness))
                .contains("Hosts", "Https", "HttpsTargets", "Balancer", "BalancerGroup", "Vpc", "Files")
                .doesNotContain("Witness", "Apex");
    }

    private static JsonNode resolve(String json) throws JsonProcessingException {
        return INTRINSICS.resolve(TEMPLATE.resource("Vpc").orElseThrow(), new ObjectMapper().readTree(json));
    }
}
