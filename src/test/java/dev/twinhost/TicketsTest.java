package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two hosts and what they share, each with the clock of the shared storage at a time of its own. */
@Needs("python3")
class TicketsTest {
    private static final long SLOT = 43200;
    private static final long BEGIN = 40_000 * SLOT;
    private static final String GIVEN = "gives the edge other keys of session tickets";
    private static final String STAYS = "the keys of session tickets cannot be had; those that are there stay: ";

    @TempDir
    Path root;

    private Shell one;
    private Shell other;

    /** The three keys that a host has given its edge. */
    record Keys(String previous, String now, String next) {}

    @BeforeEach
    void createHosts() throws IOException {
        one = Machine.host(new Shell(root.resolve("one")));
        other = Machine.host(new Shell(root.resolve("other")));
        Files.createDirectories(root.resolve("one/srv/twinhost"));
        Files.createSymbolicLink(root.resolve("other/srv"), root.resolve("one/srv"));
        clock(BEGIN);
    }

    @Test
    void shouldGiveBothHostsTheSameThreeKeys() throws IOException {
        assertThat(tickets(one).lastLine()).endsWith(GIVEN);
        assertThat(tickets(other).lastLine()).endsWith(GIVEN);

        Keys keys = keys(one);
        assertThat(keys(other)).isEqualTo(keys);
        assertThat(new TreeSet<>(List.of(keys.previous(), keys.now(), keys.next())))
                .hasSize(3)
                .allSatisfy(key -> assertThat(key).hasSize(80));
        assertThat(shared()).containsExactly("39999", "40000", "40001", "clock");
        assertThat(tickets(one)).isEqualTo(new Shell.Result(0, ""));
    }

    @Test
    void shouldAgreeWhereBothHostsMakeKeysAtOnce() throws IOException {
        for (int round = 0; round < 5; round++) {
            clock(BEGIN + 5 * round * SLOT);
            Process beside = other.start("bash", Shell.CHECKOUT + "/docker/host/twinhost", "tickets");
            tickets(one);
            assertThat(other.await(beside).status()).isZero();

            assertThat(keys(other)).isEqualTo(keys(one));
        }
    }

    @Test
    void shouldMoveOnWithTheClockOfTheStorageAndForgetWhatNoTicketNeeds() throws IOException {
        one.standIn("date", "echo 1970-01-01T00:00:00Z");
        tickets(one);
        Keys first = keys(one);
        clock(BEGIN + SLOT - 1);
        assertThat(tickets(one)).isEqualTo(new Shell.Result(0, ""));

        clock(BEGIN + SLOT);
        tickets(one);

        Keys second = keys(one);
        assertThat(second.previous()).isEqualTo(first.now());
        assertThat(second.now()).isEqualTo(first.next());
        assertThat(second.next()).isNotIn(first.previous(), first.now(), first.next());
        assertThat(shared()).contains("39999");
        clock(BEGIN + SLOT + 600);
        assertThat(tickets(one)).isEqualTo(new Shell.Result(0, ""));
        assertThat(shared()).containsExactly("40000", "40001", "40002", "clock");
        assertThat(keys(one)).isEqualTo(second);
    }

    @Test
    void shouldKeepTheKeysOfHostsThatDifferAboutTheEndOfASlot() throws IOException {
        clock(BEGIN + SLOT - 1);
        tickets(other);
        Keys before = keys(other);
        clock(BEGIN + SLOT + 1);
        tickets(one);
        Keys after = keys(one);

        clock(BEGIN + SLOT - 1);

        assertThat(tickets(other)).isEqualTo(new Shell.Result(0, ""));
        assertThat(keys(other)).isEqualTo(before);
        tickets(one);
        assertThat(keys(one)).isEqualTo(before);
        clock(BEGIN + SLOT + 2);
        tickets(one);
        assertThat(keys(one)).isEqualTo(after);
    }

    @Test
    void shouldHaveOtherKeysAndNoOldOnesWhereTheClockWasWrong() throws IOException {
        tickets(one);
        Keys first = keys(one);
        clock(BEGIN + 700 * SLOT);
        tickets(one);
        Keys ahead = keys(one);
        assertThat(List.of(ahead.previous(), ahead.now(), ahead.next()))
                .doesNotContain(first.previous(), first.now(), first.next());
        assertThat(shared()).containsExactly("40699", "40700", "40701", "clock");

        clock(BEGIN);
        tickets(one);
        tickets(other);

        assertThat(keys(one)).isNotEqualTo(ahead).isEqualTo(keys(other));
        assertThat(shared()).containsExactly("39999", "40000", "40001", "clock");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 48, 79, 81})
    void shouldMakeAKeyAnewThatHasAnotherSizeAndKeepItsOwnUntilThen(int size) throws IOException {
        tickets(one);
        Keys keys = keys(one);
        Files.writeString(key(40001), "k".repeat(size));

        Shell.Result refused = tickets(one);

        assertThat(refused.status()).isZero();
        assertThat(refused.lastLine())
                .endsWith(STAYS + "tickets/40001 on the shared storage is no key; the next look makes it anew");
        assertThat(keys(one)).isEqualTo(keys);
        assertThat(tickets(other).status()).isZero();
        assertThat(tickets(one).output().lines())
                .hasSize(2)
                .first()
                .asString()
                .endsWith("the keys of session tickets can be had again");
        assertThat(keys(one)).isEqualTo(keys(other));
        assertThat(keys(one).now()).isEqualTo(keys.now());
        assertThat(keys(one).next()).isNotEqualTo(keys.next()).hasSize(80);
    }

    @Test
    void shouldTakeZerosForNoKey() throws IOException {
        tickets(one);
        Keys keys = keys(one);
        Files.write(key(40000), new byte[80]);

        assertThat(tickets(one).lastLine()).contains("tickets/40000 on the shared storage is no key");
        assertThat(keys(one)).isEqualTo(keys);
    }

    @Test
    void shouldKeepItsKeysWhileTheStorageIsAwayAndSaySoOnce() throws IOException {
        tickets(one);
        Keys keys = keys(one);
        Files.move(root.resolve("one/srv"), root.resolve("one/away"));
        one.write("srv", "no folder");

        Shell.Result first = tickets(one);

        assertThat(first.status()).isZero();
        assertThat(first.lastLine()).contains(STAYS);
        assertThat(tickets(one)).isEqualTo(new Shell.Result(0, ""));
        assertThat(keys(one)).isEqualTo(keys);
        try (Stream<Path> folders = Files.list(one.path("dev/shm/twinhost"))) {
            assertThat(folders).as("the folder of the keys and the link to it").hasSize(2);
        }
        Files.delete(root.resolve("one/srv"));
        Files.move(root.resolve("one/away"), root.resolve("one/srv"));
        assertThat(tickets(one).output()).endsWith("the keys of session tickets can be had again\n");
        assertThat(keys(one)).isEqualTo(keys);
    }

    @Test
    void shouldMakeNoKeyWhereTheClockOfTheStorageSaysNothing() throws IOException {
        clock(0);

        assertThat(tickets(one).lastLine()).endsWith(STAYS + "the clock of the shared storage says '0'");
        assertThat(shared()).containsExactly("clock");
    }

    @Test
    void shouldWaitForTheStorageFiveSecondsAtTheMost() {
        tickets(one);
        Keys keys = keys(one);
        one.standIn("touch", "trap '' TERM\n/bin/sleep 60");
        Instant begin = Instant.now();

        Shell.Result result = tickets(one);

        assertThat(result.status()).isZero();
        assertThat(result.lastLine()).endsWith(STAYS + "the shared storage did not answer within 5 s");
        assertThat(Duration.between(begin, Instant.now())).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(40));
        assertThat(keys(one)).isEqualTo(keys);
    }

    @Test
    void shouldLetRootAloneReadTheKeys() throws IOException {
        tickets(one);

        assertThat(mode(one.path("srv/twinhost/tickets"))).isEqualTo("rwx------");
        assertThat(mode(one.path("dev/shm/twinhost"))).isEqualTo("rwx------");
        for (String number : List.of("39999", "40000", "40001")) {
            assertThat(mode(one.path("srv/twinhost/tickets/" + number))).isEqualTo("rw-------");
        }
        for (String name : List.of("previous", "now", "next")) {
            assertThat(mode(one.path("dev/shm/twinhost/current/" + name))).isEqualTo("rw-------");
        }
    }

    @Test
    void shouldLeaveNoKeyAnywhereElse() throws IOException {
        tickets(one);
        clock(BEGIN + SLOT);
        Shell.Result result = tickets(one);

        assertThat(result.output().lines()).singleElement().asString().endsWith(": " + GIVEN);
        Keys keys = keys(one);
        try (Stream<Path> files = Files.walk(root.resolve("one"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.resolve("one").relativize(file).toString();
                if (!name.startsWith("srv/twinhost/tickets/") && !name.startsWith("dev/shm/twinhost/")) {
                    assertThat(read(file)).as(name).doesNotContain(keys.previous(), keys.now(), keys.next());
                }
            }
        }
        try (Stream<Path> folders = Files.list(one.path("dev/shm/twinhost"))) {
            assertThat(folders.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder(
                            "current",
                            Files.readSymbolicLink(one.path("dev/shm/twinhost/current"))
                                    .toString());
        }
    }

    @Test
    void shouldUseNoFolderInMemoryThatSomebodyElseHasMade() throws IOException {
        Path trap = Files.createDirectory(root.resolve("trap"));
        Files.createSymbolicLink(one.path("dev/shm/twinhost"), trap);

        tickets(one);

        assertThat(one.path("dev/shm/twinhost")).isDirectory();
        assertThat(Files.isSymbolicLink(one.path("dev/shm/twinhost"))).isFalse();
        assertThat(trap).isEmptyDirectory();
        assertThat(keys(one).now()).hasSize(80);
    }

    @Test
    void shouldRemoveWhatAHostThatWasKilledLeftBehind() throws IOException {
        tickets(one);
        for (String name : List.of("new.abcdef", "new.ghijkl", "note")) {
            one.write("srv/twinhost/tickets/" + name, "k".repeat(80));
        }
        age("new.abcdef", BEGIN - 601);
        age("new.ghijkl", BEGIN - 599);
        age("note", BEGIN - 100_000);

        tickets(one);

        assertThat(shared()).containsExactly("39999", "40000", "40001", "clock", "new.ghijkl", "note");
    }

    @Test
    void shouldLeaveTheKeysOffAWitness() {
        Machine.witness(one);

        assertThat(tickets(one)).isEqualTo(new Shell.Result(0, ""));
        assertThat(one.exists("dev/shm/twinhost")).isFalse();
        assertThat(one.exists("srv/twinhost/tickets")).isFalse();
    }

    private void clock(long seconds) {
        Machine.storageClock(one, seconds);
        Machine.storageClock(other, seconds);
    }

    private static Shell.Result tickets(Shell host) {
        return host.verb("tickets");
    }

    private static Keys keys(Shell host) {
        return new Keys(
                read(host.path("dev/shm/twinhost/current/previous")),
                read(host.path("dev/shm/twinhost/current/now")),
                read(host.path("dev/shm/twinhost/current/next")));
    }

    private Path key(int slot) {
        return one.path("srv/twinhost/tickets/" + slot);
    }

    private List<String> shared() throws IOException {
        try (Stream<Path> files = Files.list(one.path("srv/twinhost/tickets"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void age(String name, long seconds) throws IOException {
        Files.setLastModifiedTime(
                one.path("srv/twinhost/tickets/" + name), FileTime.from(Instant.ofEpochSecond(seconds)));
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    /** A character for each byte. */
    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
