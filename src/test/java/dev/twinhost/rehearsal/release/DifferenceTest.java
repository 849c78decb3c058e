package dev.twinhost.rehearsal.release;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.assembly.Template;
import java.util.List;
import org.junit.jupiter.api.Test;

class DifferenceTest {
    private static final String ASSOCIATION = """
            {"Type": "AWS::SSM::Association", "Properties": {"Name": "%s", "Parameters": {"Release": ["%s"]}}}""";

    @Test
    void shouldSeeNothingInAnotherRelease() {
        assertThat(between(
                        small().with("/Association", ASSOCIATION.formatted("document", "1")),
                        small().with("/Association", ASSOCIATION.formatted("document", "2"))
                                .with("/Release/Properties/Value", "\"another one\"")))
                .isEmpty();
    }

    @Test
    void shouldSeeNothingInTheDocumentOfASlowerRelease() {
        String document =
                "{\"Type\": \"AWS::SSM::Document\", \"Properties\": {\"Content\": {\"mainSteps\": [%s]}, \"TargetType\": \"%s\"}}";
        assertThat(between(
                        small().with("/Document", document.formatted("1", "/")),
                        small().with("/Document", document.formatted("2", "/"))))
                .isEmpty();
        assertThat(between(
                        small().with("/Document", document.formatted("1", "/")),
                        small().with("/Document", document.formatted("1", "/AWS::EC2::Instance"))))
                .containsExactly("AWS::SSM::Document Document has changed");
    }

    @Test
    void shouldSeeNothingInWhatHasNoEffect() {
        assertThat(between(
                        small(),
                        small().with("/Vpc/Metadata", "{\"aws:cdk:path\": \"elsewhere\"}")
                                .with("/Vpc/DependsOn", "\"Gateway\"")
                                .with("/CDKMetadata", "{\"Type\": \"AWS::CDK::Metadata\"}")))
                .isEmpty();
    }

    @Test
    void shouldSeeNothingInTheWaitForAnotherAnswer() {
        assertThat(between(small().waitingFor("1"), small().waitingFor("2"))).isEmpty();
    }

    @Test
    void shouldNameWhatElseHasChanged() {
        assertThat(between(
                        small().with("/Association", ASSOCIATION.formatted("document", "1")),
                        small().with("/Association", ASSOCIATION.formatted("other", "2"))
                                .with("/Vpc/Properties/CidrBlock", "\"10.43.0.0/16\"")
                                .with("/Vpc2", "{\"Type\": \"AWS::EC2::VPC\"}")
                                .without("/Route")))
                .containsExactly(
                        "AWS::EC2::VPC Vpc has changed",
                        "AWS::EC2::Route Route is gone",
                        "AWS::SSM::Association Association has changed",
                        "AWS::EC2::VPC Vpc2 is new");
    }

    private static SmallAssembly small() {
        return new SmallAssembly();
    }

    private static List<String> between(SmallAssembly before, SmallAssembly after) {
        return Difference.beyondRelease(new Template(before.template()), new Template(after.template()));
    }
}
