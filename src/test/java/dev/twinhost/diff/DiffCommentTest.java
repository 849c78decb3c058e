package dev.twinhost.diff;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On records of the real command line; how they were made is in {@code README.md} beside them. */
class DiffCommentTest {
    private static final Path RECORDS = Path.of("src/test/resources/dev/twinhost/diff");
    private static final Path TEMPLATE = Path.of("src/test/resources/dev/twinhost/approved-template.json");
    private static final String ALARM = "> [!CAUTION]";

    @Test
    void shouldSayThatNothingChanges() {
        assertThat(comment("nothing"))
                .isEqualTo("### What a merge changes in Twinhost\n\nNothing: what is deployed is what this says.\n");
    }

    @Test
    void shouldBeQuietWhereSomethingIsAddedAndAReleaseGoesOut() {
        assertThat(comment("added"))
                .startsWith("""
                        ### What a merge changes in Twinhost

                        Resources: 1 added, 3 changed.
                        A release: it reaches the machines in place, one after the other.

                        <details><summary>The whole diff</summary>

                        ```text
                        Resources
                        [-] AWS::CloudFormation::WaitConditionHandle SiteRelease/Handle ReleaseHandle""")
                .endsWith("\n```\n\n</details>\n")
                .doesNotContain(ALARM)
                .doesNotContain("INFO")
                .doesNotContain("destructive change");
    }

    @Test
    void shouldSayThatMachinesAreReplaced() {
        assertThat(comment("machines"))
                .contains("\nResources: 1 changed.\n**Machines are replaced**, one after the other, because of"
                        + " `SwarmHosts/Hosts/LaunchTemplate`.\n")
                .doesNotContain(ALARM);
    }

    /** Their launch templates do not change, their subnets do. */
    @Test
    void shouldSayThatMachinesAreReplacedWhereTheyMove() {
        assertThat(comment("machines-moved"))
                .contains("\n**Machines are replaced**, one after the other, because of `SwarmHosts/Hosts/Group/ASG`,"
                        + " `SwarmHosts/Witness/Group/ASG`.\n");
        assertThat(comment("witness-moved"))
                .contains("\n**Machines are replaced**, one after the other, because of"
                        + " `SwarmHosts/Witness/Group/ASG`.\n");
    }

    /** The command line shows neither the launch templates nor the groups there, which refer to what gets another id. */
    @Test
    void shouldSayThatMachinesAreReplacedWhereWhatTheyUseIs() {
        assertThat(comment("network-replaced"))
                .containsPattern("\n\\*\\*Machines are replaced\\*\\*, one after the other, where they use"
                        + " `Network/Vpc/PublicSubnet1/Subnet`, [^\n]*`Network/Groups/Hosts`.*\\.\n");
    }

    @ParameterizedTest
    @CsvSource({
        "LaunchTemplate, true",
        "LaunchConfigurationName, true",
        "MixedInstancesPolicy, true",
        "PlacementGroup, true",
        "VPCZoneIdentifier, true",
        "DesiredCapacity, false",
        "DependsOn, false",
        "HealthCheckType, false"
    })
    void shouldKnowWhichPropertiesOfAGroupReplaceItsMachines(String property, boolean replaced) {
        String record = record("machines")
                .replaceFirst(
                        "(?s)\\[~] AWS::EC2::LaunchTemplate.*?\n\n",
                        "[~] AWS::AutoScaling::AutoScalingGroup SwarmHosts/Hosts/Group/ASG Hosts\n └─ [+] " + property
                                + "\n     └─ [+] new\n\n");

        assertThat(of(record).contains("**Machines are replaced**")).isEqualTo(replaced);
        assertThat(of(record)).contains("Resources: 1 changed.");
    }

    /** It starts another group beside it and deletes the old one: that is told as a loss. */
    @Test
    void shouldNotPromiseOneAfterTheOtherWhereTheGroupItselfIsReplaced() {
        String record = record("machines-moved")
                .replace("Group/ASG Hosts\n", "Group/ASG Hosts replace\n")
                .replace("Group/ASG Witness\n", "Group/ASG Witness replace\n");

        assertThat(of(record))
                .contains("> - **replaced:** `SwarmHosts/Hosts/Group/ASG`, `SwarmHosts/Witness/Group/ASG`")
                .doesNotContain("**Machines are replaced**");
    }

    @Test
    void shouldSayThatNoResourceChanges() {
        String record = record("machines").replaceFirst("(?s)Resources\n.*?\n\n", "");

        assertThat(of(record)).contains("\nNo resource: outputs, parameters or conditions alone.\n");
    }

    @Test
    void shouldBeLoudWhereTheFileSystemIsReplaced() {
        assertThat(comment("storage-replaced")).startsWith("""
                        ### What a merge changes in Twinhost

                        > [!CAUTION]
                        > **What holds state is replaced or deleted. Merge only if you mean it:**
                        > - **replaced:** `SharedStorage/FileSystem` (AWS::EFS::FileSystem): the site's memory: certificates, \
                        the account at the authority, the cluster record. A new one is empty, so the next machines found a new \
                        cluster, open a new account and order a new certificate. The old one stays in the AWS account; the setting \
                        `fileSystemId` brings a new stack back to it.
                        > - **replaced:** `SharedStorage/FileSystem/EfsMountTarget-PublicSubnet1`, \
                        `SharedStorage/FileSystem/EfsMountTarget-PublicSubnet2`, \
                        `SharedStorage/FileSystem/EfsMountTarget-PublicSubnet3` (AWS::EFS::MountTarget): the machines of a zone""");
    }

    @Test
    void shouldBeLoudWhereTheStackForgetsTheFileSystem() {
        assertThat(comment("storage-left-behind"))
                .contains(
                        "> - **left behind and forgotten by the stack:** `SharedStorage/FileSystem` (AWS::EFS::FileSystem)")
                .contains("> - **deleted:** `SharedStorage/FileSystem/EfsMountTarget-PublicSubnet1`, `");
    }

    @Test
    void shouldBeLoudWhereRecordsAreDeleted() {
        assertThat(comment("records-deleted"))
                .contains(
                        "> - **deleted:** `SiteRecords/Apex`, `SiteRecords/Www` (AWS::Route53::RecordSet): the name leads nowhere"
                                + " until somebody makes another record, and resolvers remember that.\n")
                .contains("\nResources: 2 deleted.\n");
    }

    @Test
    void shouldNameWhatHoldsNothingApart() {
        assertThat(comment("network-replaced"))
                .contains("> - **replaced:** `Network/Vpc` (AWS::EC2::VPC): the whole network")
                .containsPattern(
                        "\nReplaced or deleted as well, but holding nothing: `Network/Vpc/[^\n]* and [0-9]+ more\\.\n")
                .doesNotContainPattern("> - [^\n]*AWS::EC2::Route");
    }

    @Test
    void shouldBeLoudAboutWhatMayBeReplaced() {
        String record = record("storage-replaced").replace("FF4F5FE9 replace\n", "FF4F5FE9 may be replaced\n");

        assertThat(of(record)).contains("> - **perhaps replaced:** `SharedStorage/FileSystem` (AWS::EFS::FileSystem)");
    }

    @Test
    void shouldBeLoudAboutATypeOfWhichNobodyHasSaidWhatItHolds() {
        String record = record("records-deleted").replace("AWS::Route53::RecordSet", "AWS::Neptune::DBCluster");

        assertThat(of(record))
                .contains(
                        "> - **deleted:** `SiteRecords/Apex`, `SiteRecords/Www` (AWS::Neptune::DBCluster): it is not known here"
                                + " whether it holds anything; find out before you merge.\n");
    }

    @Test
    void shouldBeLoudWhereTheCommandLineCountsOtherwise() {
        String record = record("storage-replaced").replace("[~] AWS::EFS::FileSystem", "<~> AWS::EFS::FileSystem");

        assertThat(of(record)).contains("""
                        > [!CAUTION]
                        > **The command line counts 4 resources that are replaced, deleted or left behind, and 3 were read here.** \
                        The list above may lack one: read the diff itself.
                        """);
    }

    @Test
    void shouldCutAVeryLongDiffAndSaySo() {
        String properties = "     ├─ [-] 10.42.0.0/16\n".repeat(5000);
        String comment = of(record("network-replaced").replaceFirst("(?m)^ └─ \\[~] CidrBlock.*\n", "$0" + properties));

        assertThat(comment)
                .hasSizeLessThanOrEqualTo(DiffComment.LIMIT)
                .hasSizeGreaterThan(DiffComment.LIMIT - 200)
                .startsWith("### What a merge changes in Twinhost\n\n" + ALARM)
                .containsPattern(
                        "\n```\n\n</details>\n\n\nCut: [0-9]{4} of [0-9]{4} lines are shown\\. The whole diff is in the log of"
                                + " the run; or type: `npx cdk diff`\n$");
    }

    @Test
    void shouldKeepTheDiffInsideItsFence() {
        String record = record("records-deleted").replace("\n[-] AWS", "\n````\n[-] AWS");

        assertThat(of(record)).contains("\n`````text\n").endsWith("\n`````\n\n</details>\n");
    }

    @Test
    void shouldReadTheWholeOfADiffOrNothing() {
        assertThat(RecordedDiff.read("Stack Twinhost\nResources\n[-] AWS::EFS::FileSystem A B destroy\n"))
                .isEmpty();
        assertThat(RecordedDiff.read("Unable to resolve AWS account to use\n")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nothing",
                "added",
                "machines",
                "machines-moved",
                "witness-moved",
                "storage-replaced",
                "storage-left-behind",
                "records-deleted",
                "network-replaced"
            })
    void shouldCountWhatTheCommandLineCounts(String name) {
        assertThat(RecordedDiff.read(record(name)).orElseThrow().isUnderstood()).isTrue();
    }

    @Test
    void shouldSayOfEveryTypeOfTheSiteWhatIsLostWithIt() throws IOException {
        Set<String> types = Pattern.compile("\"Type\" ?: ?\"(AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)\"")
                .matcher(Files.readString(TEMPLATE, StandardCharsets.UTF_8))
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(types).contains("AWS::EFS::FileSystem");

        assertThat(types).allMatch(Loss::isKnown);
    }

    private static String comment(String name) {
        return of(record(name));
    }

    private static String of(String record) {
        return DiffComment.of(RecordedDiff.read(record).orElseThrow());
    }

    private static String record(String name) {
        try {
            return Files.readString(RECORDS.resolve(name + ".txt"), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
