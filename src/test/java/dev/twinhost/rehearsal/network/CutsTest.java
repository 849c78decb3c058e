package dev.twinhost.rehearsal.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.WaitedInVain;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What passes between machines, seen in what arrives: real namespaces, no machine in them. */
@Tag("root")
class CutsTest {
    private static final String PREFIX = "th-cuts-" + ProcessHandle.current().pid();
    private static final Fabric FABRIC = new Fabric(PREFIX);
    private static final List<String> MACHINES = List.of("1", "2", "3");
    private static final Duration LIMIT = Duration.ofSeconds(1);

    private static final Site SITE =
            new SmallAssembly().with("/HostsAmongThemselves", """
                    {
                      "Type": "AWS::EC2::SecurityGroupIngress",
                      "Properties": {
                        "FromPort": 7946,
                        "GroupId": { "Fn::GetAtt": ["HostsGroup", "GroupId"] },
                        "IpProtocol": "udp",
                        "SourceSecurityGroupId": { "Fn::GetAtt": ["HostsGroup", "GroupId"] },
                        "ToPort": 7946
                      }
                    }""").read();

    @BeforeAll
    static void make() {
        FABRIC.make(SITE);
        MACHINES.forEach(CutsTest::connect);
    }

    @AfterEach
    void mend() {
        FABRIC.mend();
    }

    @AfterAll
    static void unmake() {
        Fabric.unmake(PREFIX);
    }

    @Test
    void shouldLetEverythingPassWhereNothingIsCut() {
        assertThat(passing()).containsExactly("1>2", "1>3", "2>1", "2>3", "3>1", "3>2");
    }

    @Test
    void shouldCutOneWayOnly() {
        FABRIC.cut("1", "2");
        assertThat(passing()).containsExactly("1>3", "2>1", "2>3", "3>1", "3>2");
    }

    @Test
    void shouldCutAMachineOffFromAllOthers() {
        FABRIC.mute("1");
        assertThat(passing()).containsExactly("2>1", "2>3", "3>1", "3>2");
        FABRIC.deafen("1");
        assertThat(passing()).containsExactly("2>3", "3>2");
    }

    @Test
    void shouldLeaveTheWayToTheMetadataService() {
        FABRIC.mute("1");
        FABRIC.deafen("1");
        assertThat(refused("1", Fabric.METADATA)).isTrue();
    }

    @Test
    void shouldMendOneMachineAndLeaveTheCutsOfOthers() {
        FABRIC.cut("1", "2");
        FABRIC.cut("3", "1");
        FABRIC.cut("2", "3");
        FABRIC.mute("3");
        FABRIC.mend("1");
        assertThat(passing()).containsExactly("1>2", "1>3", "2>1");
        FABRIC.mend("3");
        assertThat(passing()).hasSize(6);
    }

    @Test
    void shouldForgetWhatWasCutOfAMachineThatIsTakenAway() {
        FABRIC.cut("1", "2");
        FABRIC.cut("2", "3");
        FABRIC.mute("2");
        FABRIC.deafen("2");
        FABRIC.disconnect("2");
        connect("2");
        assertThat(passing()).hasSize(6);
    }

    private static void connect(String machine) {
        FABRIC.connect(machine, address(machine), SITE.vpc().subnets().get(0), SITE.machineGroup("Hosts"));
    }

    private static String address(String machine) {
        return "10.42.0.1" + machine;
    }

    private static List<String> passing() {
        List<String> found = new ArrayList<>();
        for (String from : MACHINES) {
            for (String to : MACHINES) {
                if (!from.equals(to) && passes(from, to)) {
                    found.add(from + ">" + to);
                }
            }
        }
        return found;
    }

    /** Whether a datagram of the one is counted by the other, where nobody listens for it. */
    private static boolean passes(String from, String to) {
        long before = arrived(to);
        inside(from, "echo > /dev/udp/" + address(to) + "/7946").run();
        try {
            Await.that("a datagram", LIMIT, () -> arrived(to) > before);
            return true;
        } catch (WaitedInVain e) {
            return false;
        }
    }

    private static long arrived(String machine) {
        String counters = inside(machine, "awk '$1 == \"Udp:\" { n = $3 } END { print n }' /proc/net/snmp")
                .run();
        return Long.parseLong(counters.strip());
    }

    /** Whether the address says at once that nobody listens. */
    private static boolean refused(String machine, String address) {
        Command.Result result = inside(machine, "timeout 2 bash -c 'echo > /dev/tcp/" + address + "/80'")
                .result();
        return result.error().contains("Connection refused");
    }

    private static Command inside(String machine, String script) {
        return Command.of(
                "nsenter", "--net=/run/netns/" + FABRIC.machine(machine).name(), "bash", "-c", script);
    }
}
