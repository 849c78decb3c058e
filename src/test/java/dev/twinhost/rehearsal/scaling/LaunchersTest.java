package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LaunchersTest {
    private final MachineGroup hosts = new SmallAssembly()
            .with("/HostTemplate/Properties/LaunchTemplateData/UserData", """
                    {"Fn::Base64": "#!/bin/bash\\nexport ROLE='host'\\nexport STACK='Small'\\n# The launcher.\\nexport HOME=/root\\n"}""")
            .read()
            .machineGroup("Hosts");

    @Test
    void shouldPutTheVariablesOfTheTemplateBeforeAChangedLauncher(@TempDir Path folder) {
        Launchers launchers = new Launchers(new StateFolder(folder));
        assertThat(launchers.userData(hosts)).isEqualTo(hosts.launchTemplate().userData());
        launchers.change("Hosts", Optional.of("exit 1\n"));
        assertThat(launchers.userData(hosts))
                .isEqualTo("#!/bin/bash\nexport ROLE='host'\nexport STACK='Small'\nexit 1\n");
        launchers.change("Hosts", Optional.empty());
        assertThat(launchers.userData(hosts)).isEqualTo(hosts.launchTemplate().userData());
    }
}
