package dev.twinhost.rehearsal.machines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachinesTest {
    private final MachineGroup hosts = new SmallAssembly().read().machineGroup("Hosts");

    @Test
    void shouldCountHowManyThereAreAtTheSameTimeAtMost(@TempDir Path folder) {
        Machines machines = new Machines(new StateFolder(folder));
        Machine first = machines.launch(hosts, List.of());
        machines.launch(hosts, List.of());
        machines.forget(first);
        machines.launch(hosts, List.of());
        assertThat(machines.most()).isEqualTo(2);
        machines.launch(hosts, List.of());
        assertThat(machines.most()).isEqualTo(3);
        machines.forget(machines.named("2"));
        machines.beginCount();
        assertThat(machines.most()).isEqualTo(2);
    }
}
