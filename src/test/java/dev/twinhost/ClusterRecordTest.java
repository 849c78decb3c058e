package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Needs("jq")
class ClusterRecordTest {
    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createShell() {
        shell = new Shell(root);
    }

    @Test
    void shouldMakeOneFounderOfTwentyThatClaimAtOnce() {
        for (int generation = 1; generation <= 3; generation++) {
            List<Process> claims = new ArrayList<>();
            for (int machine = 1; machine <= 20; machine++) {
                claims.add(shell.start(
                        "bash",
                        Shell.CHECKOUT + "/docker/host/record.sh",
                        "claim",
                        String.valueOf(generation),
                        "i-" + machine,
                        "10.0.0." + machine));
            }
            List<Integer> statuses =
                    claims.stream().map(claim -> shell.await(claim).status()).toList();

            assertThat(statuses).containsOnlyOnce(0);
            String founder = shell.read(folder(generation) + "/founder").strip();
            assertThat(statuses.indexOf(0) + 1).isEqualTo(Integer.parseInt(founder.substring("i-".length())));
        }
    }

    @Test
    void shouldShowAnEmptyRecordBeforeTheFirstClaim() {
        assertThat(record("show").output())
                .isEqualTo(
                        "{\"generation\":0,\"founder\":\"\",\"cluster\":\"\",\"release\":\"\",\"rescues\":0,\"managers\":[]}\n");
    }

    /** An empty record is what a new cluster is founded on, and generation 0 has no release to boot with. */
    @ParameterizedTest
    @ValueSource(strings = {"show", "release"})
    void shouldNotTakeAStorageThatCannotBeReadForAnEmptyRecord(String verb) {
        record("claim", "1", "i-1", "10.0.0.1");
        shell.standIn("find", "exit 1");

        Shell.Result result = record(verb);

        assertThat(result.status()).isNotZero();
        assertThat(result.output()).doesNotContain("{").contains(" failed: n=$(newest)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"founder", "cluster-id"})
    void shouldShowNothingOfAGenerationOfWhichAFileCannotBeRead(String file) throws IOException {
        record("claim", "1", "i-1", "10.0.0.1");
        Files.deleteIfExists(shell.path(folder(1) + '/' + file));
        Files.createDirectory(shell.path(folder(1) + '/' + file)); // there, and not to be read, by root either

        Shell.Result result = record("show");

        assertThat(result.status()).isNotZero();
        assertThat(result.output()).doesNotContain("{").contains("Is a directory");
    }

    @Test
    void shouldBeatForItsFounderFromTheClaimOn() {
        record("claim", "1", "i-1", "10.0.0.1");

        assertThat(record("show").output())
                .isEqualTo(
                        "{\"generation\":1,\"founder\":\"i-1\",\"cluster\":\"\",\"release\":\"\",\"rescues\":0,\"managers\":"
                                + "[{\"instance\":\"i-1\",\"counter\":1,\"leader\":false,\"address\":\"10.0.0.1\"}]}\n");
    }

    @Test
    void shouldCountEveryHeartbeat() {
        record("claim", "1", "i-1", "10.0.0.1");
        record("beat", "1", "i-2", "yes", "10.0.0.2");
        record("beat", "1", "i-2", "no", "10.0.0.2");

        assertThat(shell.read(folder(1) + "/managers/i-2")).isEqualTo("2 no 10.0.0.2\n");
    }

    @Test
    void shouldShowTheHighestGenerationAsCurrent() {
        for (int generation = 1; generation <= 11; generation++) {
            record("claim", String.valueOf(generation), "i-" + generation, "10.0.0.1");
        }

        assertThat(record("show").output()).startsWith("{\"generation\":11,\"founder\":\"i-11\"");
    }

    @Test
    void shouldNameTheClusterOnlyTogetherWithItsToken() {
        record("claim", "1", "i-1", "10.0.0.1");

        Shell.Result found = shell.bash(
                "printf 'SWMTKN-secret\\n' | bash " + Shell.CHECKOUT + "/docker/host/record.sh found 1 cluster-a");

        assertThat(found).isEqualTo(new Shell.Result(0, ""));
        assertThat(record("token", "1").output()).isEqualTo("SWMTKN-secret\n");
        assertThat(record("show").output()).contains("\"cluster\":\"cluster-a\"");
    }

    @Test
    void shouldBeReadableByRootAlone() throws Exception {
        record("claim", "1", "i-1", "10.0.0.1");
        shell.bash("echo secret | bash " + Shell.CHECKOUT + "/docker/host/record.sh found 1 cluster-a");

        try (var paths = Files.walk(shell.path("srv/twinhost/swarm"))) {
            Set<String> modes = paths.map(ClusterRecordTest::mode).collect(Collectors.toSet());
            assertThat(modes).containsExactlyInAnyOrder("rwx------", "rw-------");
        }
    }

    @Test
    void shouldRememberTheLastConvergedReleaseAcrossGenerations() {
        record("claim", "1", "i-1", "10.0.0.1");
        converged(1, "aaa", "{\"sha256\":\"aaa\"}");
        converged(1, "bbb", "{\"sha256\":\"bbb\"}");
        record("claim", "2", "i-2", "10.0.0.2");

        assertThat(record("release").output()).isEqualTo("{\"sha256\":\"bbb\"}\n");
        assertThat(record("show").output()).contains("\"generation\":2").contains("\"release\":\"bbb\"");

        converged(2, "ccc", "{\"sha256\":\"ccc\"}");
        assertThat(record("release").output()).isEqualTo("{\"sha256\":\"ccc\"}\n");
    }

    @Test
    void shouldRemoveWhatACopyThatWasEndedHalfWayHasLeft() {
        record("claim", "1", "i-1", "10.0.0.1");
        shell.write("opt/twinhost/releases/aaa.zip", "the archive");
        shell.write("srv/twinhost/swarm/archives/aaa.zip.old", "half of it");
        shell.bash("touch -d '2 days ago' srv/twinhost/swarm/archives/aaa.zip.old");
        shell.write("srv/twinhost/swarm/archives/aaa.zip.new", "what another machine writes");

        converged(1, "aaa", "{\"sha256\":\"aaa\"}");

        assertThat(shell.bash("ls srv/twinhost/swarm/archives").output()).isEqualTo("aaa.zip\naaa.zip.new\n");
        assertThat(record("archive", "aaa").output()).isEqualTo("the archive");
    }

    @Test
    void shouldNameNoReleaseBeforeOneConverged() {
        record("claim", "1", "i-1", "10.0.0.1");

        assertThat(record("release")).isEqualTo(new Shell.Result(0, ""));
    }

    private void converged(int generation, String sha, String json) {
        Shell.Result result = shell.bash("echo '" + json + "' | bash " + Shell.CHECKOUT
                + "/docker/host/record.sh converged " + generation + " " + sha);
        assertThat(result).isEqualTo(new Shell.Result(0, ""));
    }

    private Shell.Result record(String... arguments) {
        return shell.verb("record", arguments);
    }

    private static String folder(int generation) {
        return "srv/twinhost/swarm/generations/" + generation;
    }

    private static String mode(Path path) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
