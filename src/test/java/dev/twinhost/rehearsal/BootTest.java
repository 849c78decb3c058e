package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootTest {
    @TempDir
    Path cgroup;

    @Test
    void shouldNotCountWhatAMachineWaitedForAProcessorOrTheDisk() throws IOException {
        pressure("cpu", 22_500_000);
        pressure("io", 1_600_000);

        Boot boot = Boot.of(Duration.ofSeconds(70), cgroup);

        assertThat(boot.own()).isEqualTo(Duration.ofMillis(45_900));
        assertThat(boot).hasToString("70 s after its boot, 24 of them waiting for this machine");
    }

    @Test
    void shouldCountEverythingWhereLinuxDoesNotTell() {
        assertThat(Boot.of(Duration.ofSeconds(70), cgroup).own()).isEqualTo(Duration.ofSeconds(70));
    }

    @Test
    void shouldFailWhereLinuxTellsItOtherwise() throws IOException {
        Files.writeString(cgroup.resolve("cpu.pressure"), "some avg10=0.00\n");

        assertThatThrownBy(() -> Boot.of(Duration.ofSeconds(70), cgroup))
                .hasMessageEndingWith("/cpu.pressure tells no time: some avg10=0.00\n");
    }

    /** As the kernel's own documentation shows it: https://docs.kernel.org/accounting/psi.html */
    private void pressure(String resource, long micros) throws IOException {
        Files.writeString(
                cgroup.resolve(resource + ".pressure"),
                "some avg10=22.16 avg60=25.02 avg300=17.03 total=99999999\nfull avg10=20.54 avg60=22.14 avg300=14.80 total=%d\n"
                        .formatted(micros));
    }
}
