package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The user-data of a machine, run as root on the root file system of the rehearsal's hosts, with stand-ins for AWS, the
 * package manager, systemd and the mount. What it leaves there is in the folder {@code upper} of the test.
 */
@Tag("root")
class LauncherTest {
    private static final String ODD = "a'b\"c $HOME `id` \\";

    private static final String UNIT = "/etc/systemd/system/twinhost-launcher.service";

    private static final String INSTALL = "dnf -y -q install amazon-efs-utils docker jq unzip /usr/bin/aws /usr/bin/cmp"
            + " /usr/bin/envsubst /usr/bin/openssl";

    private static Path host;

    @TempDir
    Path folder;

    private final Map<String, String> header = new LinkedHashMap<>();

    /** Seconds for which the launcher tries again. */
    private int limit = 1200;

    @BeforeAll
    static void makeRootFileSystem() {
        host = RootFileSystems.tree("host");
    }

    @BeforeEach
    void createMachine() throws Exception {
        header.put("AWS_REGION", "eu-central-1");
        header.put("TWINHOST_ROLE", "host");
        header.put("TWINHOST_FILE_SYSTEM", "fs-0123456789abcdef0");
        header.put("TWINHOST_RELEASE_PARAMETER", "/site/release");
        header.put("TWINHOST_STACK", "Site");
        header.put("TWINHOST_SIGNAL_RESOURCE", "Hosts");
        header.put("TWINHOST_LOG_GROUP", "log-group");
        Files.createDirectories(folder.resolve("lab/stand-ins"));
        release("echo 'bootstrap of the release ran'", true);
        standIn("curl", "echo i-0a");
        standIn("systemctl", """
                case $* in
                  is-system-running) cat /lab/state ;;
                  'start srv-twinhost.mount')
                    if [[ -e /lab/unknown ]]; then rm /lab/unknown; exit 1; fi
                    [[ ! -e /lab/cut ]] || kill -"$(cat /lab/cut)" -1
                    touch /lab/mounted ;;
                esac""");
        Files.writeString(folder.resolve("lab/state"), "running");
        Files.writeString(folder.resolve("lab/docker"), "25.0.14");
        standIn("rpm", """
                case $* in
                  *--qf*) cat /lab/docker ;;
                  *) [[ " $(cat /lab/installed 2>/dev/null) " == *" ${*: -1} "* ]] ;;
                esac""");
        standIn("dnf", """
                case $* in
                  *upgrade*) [[ ! -e /lab/newer ]] || cp /lab/newer /lab/docker ;;
                  *) [[ ! -e /lab/away ]] || . /lab/away ;;
                esac""");
        standIn("sleep", "");
        standIn("grep", """
                if [[ "$*" == *'/proc/self/mounts' ]]; then [[ -e /lab/mounted ]]; else exec /usr/bin/grep "$@"; fi""");
        standIn("aws", """
                case $1 in
                  ssm) if [[ -e /lab/unknown-role ]]; then rm /lab/unknown-role; exit 254; fi; cat /lab/parameter ;;
                  s3api) if [[ -e /lab/no-archive ]]; then rm /lab/no-archive; exit 255; fi; cp /lab/archive.zip "${*: -1}" ;;
                esac""");
    }

    /** The overlay's own work folder may be entered by nobody, which stops those who delete temporary folders. */
    @AfterEach
    void forgetTheWorkFolderOfTheOverlay() {
        Command.of("rm", "-rf", folder.resolve("layer").toString()).run();
    }

    @Test
    void shouldHandOverToTheReleaseAndSignalSuccess() throws IOException {
        Command.Result result = boot();

        assertThat(result.status()).as(result.output() + result.error()).isZero();
        assertThat(result.output()).contains("bootstrap of the release ran");
        assertThat(calls("aws cloudformation"))
                .isEqualTo(
                        "aws cloudformation signal-resource --stack-name Site --logical-resource-id Hosts --unique-id i-0a --status SUCCESS\n");
    }

    @Test
    void shouldWriteTheLogAndShipIt() throws IOException {
        boot();

        assertThat(left("var/log/twinhost.log"))
                .contains("a host starts", "fetches the release that /site/release names");
        assertThat(left("etc/twinhost/cloudwatch-agent.json"))
                .contains("/var/log/twinhost.log", "\"log_group_name\": \"log-group\"", "{instance_id}");
    }

    @Test
    void shouldMountTheSharedStorageOnEveryBootWithoutHoldingItUp() throws IOException {
        boot();
        boot();

        assertThat(left("etc/fstab").lines().filter(line -> line.contains("/srv/twinhost")))
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .startsWith("fs-0123456789abcdef0:/ /srv/twinhost efs ")
                        .contains("_netdev", "nofail", "x-systemd.mount-timeout=60s", "tls", "iam"));
    }

    @Test
    void shouldTryAgainWhileTheMountTargetAndTheRoleAreNotKnownYet() throws IOException {
        Files.createFile(folder.resolve("lab/unknown"));
        Files.createFile(folder.resolve("lab/unknown-role"));

        assertThat(boot().status()).isZero();
        assertThat(calls("aws ssm").lines()).hasSize(2);
        assertThat(calls("systemctl start").lines()).containsOnly("systemctl start srv-twinhost.mount");
    }

    @Test
    void shouldTryAgainWhereTheArchiveCannotBeHadYet() throws IOException {
        Files.createFile(folder.resolve("lab/no-archive"));

        assertThat(boot().status()).isZero();
        assertThat(calls("aws s3api").lines()).hasSize(2);
    }

    @Test
    void shouldTryAgainWithoutTheLogsAgentWherePackagesCannotBeInstalled() throws IOException {
        Files.writeString(folder.resolve("lab/away"), "[[ $* != *amazon-cloudwatch-agent* ]]");

        assertThat(boot().status()).isZero();
        assertThat(calls("dnf").lines()).containsExactly(INSTALL + " amazon-cloudwatch-agent", INSTALL);
    }

    @Test
    void shouldServeWithoutTheLogsAgent() throws IOException {
        Path control = folder.resolve("layer/upper/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl");
        Files.createDirectories(control.getParent());
        Files.writeString(control, "#!/bin/bash\nexit 1\n");
        assertThat(control.toFile().setExecutable(true)).isTrue();

        Command.Result result = boot();

        assertThat(result.status()).isZero();
        assertThat(result.output()).contains("the CloudWatch agent did not start: this log stays on this machine");
    }

    @Test
    void shouldBringADockerThatLosesTasksUpToDate() throws IOException {
        Files.writeString(folder.resolve("lab/docker"), "25.0.8");
        Files.writeString(folder.resolve("lab/newer"), "25.0.16");

        assertThat(boot().status()).isZero();
        assertThat(calls("dnf")).endsWith("dnf -y -q --releasever=latest upgrade docker\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"25.0.8", "24.0.20", "", "package docker is not installed"})
    void shouldRefuseADockerThatIsNotKnownToBeRecent(String version) throws IOException {
        Files.writeString(folder.resolve("lab/docker"), version);
        limit = 0;

        assertFailure("launcher: packages could not be installed within 0 s, or Docker is older than 25.0.14");
    }

    @ParameterizedTest
    @ValueSource(strings = {"25.0.14", "25.0.16", "25.1.0", "28.0.1"})
    void shouldTakeARecentDocker(String version) throws IOException {
        Files.writeString(folder.resolve("lab/docker"), version);

        assertThat(boot().status()).isZero();
        assertThat(calls("dnf")).doesNotContain("upgrade");
    }

    @Test
    void shouldLetValuesWithQuotesSpacesAndDollarsSurvive() throws IOException {
        header.put("TWINHOST_LOG_GROUP", ODD);

        boot();

        Files.copy(folder.resolve("layer/upper/etc/twinhost/machine.env"), folder.resolve("machine.env"));
        assertThat(new Shell(folder)
                        .bash(". ./machine.env; printf %s \"$TWINHOST_LOG_GROUP\"")
                        .output())
                .isEqualTo(ODD);
    }

    @Test
    void shouldInstallWhatIsMissingOnAmazonLinux() throws IOException {
        Files.writeString(folder.resolve("lab/installed"), "jq unzip");

        boot();

        assertThat(calls("dnf"))
                .isEqualTo("dnf -y -q install amazon-efs-utils docker /usr/bin/aws /usr/bin/cmp /usr/bin/envsubst"
                        + " /usr/bin/openssl amazon-cloudwatch-agent\n");
    }

    @Test
    void shouldInstallNothingWhereNothingIsMissing() throws IOException {
        Files.writeString(
                folder.resolve("lab/installed"),
                "amazon-cloudwatch-agent amazon-efs-utils docker jq unzip /usr/bin/aws /usr/bin/cmp /usr/bin/envsubst"
                        + " /usr/bin/openssl");

        boot();

        assertThat(calls("dnf")).isEmpty();
    }

    @Test
    void shouldSignalTheFailureOfAPackageWhenItsTimeIsOver() throws IOException {
        Files.writeString(folder.resolve("lab/away"), "exit 1");
        limit = 0;

        assertFailure("launcher: packages could not be installed within 0 s, or Docker is older than 25.0.14");
    }

    @Test
    void shouldGoOnTryingAfterAFailureAndSignalOnce() throws Exception {
        release("echo 'bootstrap: the reason' | tee -a /var/log/twinhost.log; exit 1", true);
        assertFailure("bootstrap: the reason");
        assertThat(calls("systemctl")).endsWith("systemctl start --no-block twinhost-launcher.service\n");
        assertThat(left(UNIT.substring(1)))
                .contains("Restart=on-failure\n", "RestartSec=60\n", "StartLimitIntervalSec=0\n");

        // by systemd, and again without success
        assertThat(boot(execStart()).status()).isEqualTo(1);
        assertThat(calls("aws cloudformation")).isEmpty();
        assertThat(calls("systemctl")).doesNotContain("disable", "start --no-block");

        release("echo 'bootstrap of the release ran'", true);
        assertThat(boot(execStart()).output()).contains("bootstrap of the release ran");
        assertThat(calls("aws cloudformation")).isEmpty();
        assertThat(calls("systemctl")).contains("systemctl -q disable twinhost-launcher.service\n");
        assertThat(folder.resolve("layer/upper" + UNIT)).doesNotExist();
        assertThat(folder.resolve("layer/upper/opt/twinhost/user-data")).doesNotExist();
    }

    @Test
    void shouldKeepTheTokenOfTheMetadataServiceOutOfArguments() throws IOException {
        standIn("curl", "[[ $* != *api/token* ]] || { echo t0ken && exit; }\n[[ $(cat) == *t0ken ]] && echo i-0a");

        assertThat(boot().status()).isZero();

        assertThat(calls("aws cloudformation")).contains("--unique-id i-0a ");
        assertThat(calls("curl")).contains("/meta-data/instance-id").doesNotContain("t0ken");
    }

    @Test
    void shouldSignalTheFailureOfBootstrapWithItsReasonAsTheLastLine() throws Exception {
        release("echo 'bootstrap: the reason' | tee -a /var/log/twinhost.log; exit 1", true);

        assertFailure("bootstrap: the reason");
    }

    @Test
    void shouldKeepTheArchiveOfTheRelease() throws IOException {
        boot();

        Path kept = folder.resolve("layer/upper/opt/twinhost/releases/" + sha() + ".zip");
        assertThat(kept).hasSameBinaryContentAs(folder.resolve("lab/archive.zip"));
    }

    @Test
    void shouldRefuseAReleaseWhoseHashIsAnother() throws Exception {
        release("true", false);

        limit = 0;

        Command.Result result = assertFailure("launcher: the release could not be fetched within 0 s: " + parameter());
        assertThat(result.output()).contains("checksum did NOT match");
        assertThat(folder.resolve("layer/upper/opt/twinhost/current")).doesNotExist();
        assertThat(folder.resolve("layer/upper/opt/twinhost/releases/" + sha() + ".zip"))
                .doesNotExist();
    }

    /** KILL is a power cut, TERM what systemd says to every process when it shuts down. */
    @ParameterizedTest
    @ValueSource(strings = {"KILL", "TERM"})
    void shouldGoOnAtTheNextBootWhereTheFirstIsCutShortBeforeBootstrap(String signal) throws Exception {
        Files.writeString(folder.resolve("lab/cut"), signal);
        boot();
        Files.delete(folder.resolve("lab/cut"));

        assertGoesOn();
    }

    @ParameterizedTest
    @ValueSource(strings = {"KILL", "TERM"})
    void shouldGoOnAtTheNextBootWhereTheFirstIsCutShortDuringBootstrap(String signal) throws Exception {
        release("kill -" + signal + " -1; exit 1", true);
        boot();
        release("echo 'bootstrap of the release ran'", true);

        assertGoesOn();
    }

    @Test
    void shouldGoOnAtTheNextBootWhereAShutdownMakesBootstrapFail() throws Exception {
        release("echo stopping >/lab/state; exit 1", true);
        boot();
        Files.writeString(folder.resolve("lab/state"), "running");
        release("echo 'bootstrap of the release ran'", true);

        assertGoesOn();
    }

    private void assertGoesOn() throws IOException {
        assertThat(calls("aws cloudformation")).as("not signalled yet").isEmpty();
        assertThat(calls("systemctl")).contains("systemctl -q enable twinhost-launcher.service\n");

        assertThat(boot(execStart()).output()).contains("bootstrap of the release ran");
        assertThat(calls("aws cloudformation"))
                .containsOnlyOnce("--status SUCCESS")
                .hasLineCount(1);
        assertThat(calls("systemctl")).contains("systemctl -q disable twinhost-launcher.service\n");
        assertThat(folder.resolve("layer/upper" + UNIT)).doesNotExist();
    }

    @Test
    void shouldNotRunAgainOnceItHasSignalled() throws IOException {
        boot();

        assertThat(calls("systemctl"))
                .containsSubsequence(
                        "systemctl -q enable twinhost-launcher.service\n",
                        "systemctl -q disable twinhost-launcher.service\n");
        assertThat(folder.resolve("layer/upper" + UNIT)).doesNotExist();
    }

    @Test
    void shouldRefuseToStartWithoutAVariable() throws IOException {
        header.remove("TWINHOST_STACK");

        Command.Result result = boot();

        assertThat(result.status()).isNotZero();
        assertThat(result.error() + result.output()).contains("TWINHOST_STACK: parameter null or not set");
    }

    private Command.Result assertFailure(String reason) throws IOException {
        Command.Result result = boot();
        assertThat(result.status()).isNotZero();
        assertThat(calls("aws cloudformation")).endsWith("--status FAILURE\n");
        assertThat(left("var/log/twinhost.log").lines().reduce("", (first, second) -> second))
                .endsWith(reason);
        return result;
    }

    /** What systemd starts on the boots after the first. */
    private String execStart() throws IOException {
        return left(UNIT.substring(1))
                .lines()
                .filter(line -> line.startsWith("ExecStart="))
                .map(line -> line.substring("ExecStart=".length()))
                .findFirst()
                .orElseThrow();
    }

    private Command.Result boot() throws IOException {
        return boot("bash /lab/user-data");
    }

    private Command.Result boot(String command) throws IOException {
        String launcher = Files.readString(Shell.CHECKOUT.resolve("src/main/resources/dev/twinhost/user-data.sh"));
        assertThat(launcher).containsOnlyOnce("readonly LIMIT=1200\n");
        Files.writeString(
                folder.resolve("lab/user-data"),
                "#!/bin/bash\n" + ShellExports.of(header) + launcher.replace("LIMIT=1200", "LIMIT=" + limit));
        Files.deleteIfExists(folder.resolve("lab/calls"));
        return Command.of(
                        "unshare",
                        "--mount",
                        "--net",
                        "--pid",
                        "--fork",
                        "--kill-child=KILL",
                        "bash",
                        "-c",
                        """
                        set -eu
                        mkdir -p "$1"/layer/{upper,work,root}
                        mount -t overlay -o "lowerdir=$2,upperdir=$1/layer/upper,workdir=$1/layer/work" overlay "$1/layer/root"
                        cd "$1/layer/root"
                        mkdir -p lab run/rehearsal
                        mount --bind "$1/lab" lab
                        mount -t proc proc proc
                        mount --rbind /dev dev
                        exec env -i PATH=/lab/stand-ins:/usr/sbin:/usr/bin:/sbin:/bin chroot . bash -c "$3; exit \\$?"
                        """,
                        "-",
                        folder.toString(),
                        host.toString(),
                        command)
                .result();
    }

    private void release(String bootstrap, boolean rightHash) throws Exception {
        Path archive = folder.resolve("lab/archive.zip");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            zip.putNextEntry(new ZipEntry("docker/host/twinhost"));
            zip.write((bootstrap + "\n").getBytes(StandardCharsets.UTF_8));
        }
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(archive));
        String sha = rightHash ? HexFormat.of().formatHex(hash) : "0".repeat(64);
        Files.writeString(
                folder.resolve("lab/parameter"),
                "{\"bucket\":\"bucket\",\"key\":\"key.zip\",\"sha256\":\"" + sha + "\"}\n");
    }

    private String parameter() throws IOException {
        return Files.readString(folder.resolve("lab/parameter")).strip();
    }

    private String sha() throws IOException {
        return parameter().replaceAll(".*\"sha256\":\"([0-9a-f]{64})\".*", "$1");
    }

    private void standIn(String command, String script) throws IOException {
        Path file = folder.resolve("lab/stand-ins/" + command);
        Files.writeString(file, "#!/bin/bash\nprintf '" + command + " %s\\n' \"$*\" >>/lab/calls\n" + script + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private String calls(String command) throws IOException {
        StringBuilder calls = new StringBuilder();
        Files.readAllLines(folder.resolve("lab/calls")).stream()
                .filter(call -> call.startsWith(command + " "))
                .forEach(call -> calls.append(call).append('\n'));
        return calls.toString();
    }

    private String left(String file) throws IOException {
        return Files.readString(folder.resolve("layer/upper/" + file));
    }
}
