package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroupsTest {
    private final MachineGroup hosts = new SmallAssembly().read().machineGroup("Hosts");

    @Test
    void shouldKeepEveryChangeOfManyAtOnce(@TempDir Path folder) {
        Groups groups = new Groups(new StateFolder(folder));
        groups.create(hosts);
        IntStream.range(0, 100)
                .parallel()
                .forEach(i -> new Groups(new StateFolder(folder))
                        .change("Hosts", group -> group.with(Instance.pending("i-" + i))));
        assertThat(groups.get("Hosts").instances())
                .extracting(Instance::id)
                .doesNotHaveDuplicates()
                .hasSize(100);
    }

    @Test
    void shouldMakeAGroupOnce(@TempDir Path folder) {
        Groups groups = new Groups(new StateFolder(folder));
        assertThat(groups.find("Hosts")).isEmpty();
        groups.create(hosts);
        groups.change("Hosts", group -> group.sized(3, 3));
        groups.create(hosts);
        assertThat(groups.get("Hosts").desired()).isEqualTo(3);
    }
}
