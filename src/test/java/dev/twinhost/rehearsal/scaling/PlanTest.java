package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.MachineGroup;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final long LONG_AGO = 600_000;
    private static final int WARMUP = 300;

    private final MachineGroup plain = new SmallAssembly().read().machineGroup("Hosts");
    private final MachineGroup careful = new SmallAssembly()
            .with(
                    "/Hosts/Properties/InstanceMaintenancePolicy",
                    "{\"MinHealthyPercentage\": 100, \"MaxHealthyPercentage\": 150}")
            .read()
            .machineGroup("Hosts");

    @Test
    void shouldDoNothingWhileAsManyMachinesAreHealthyAsAreWanted() {
        assertThat(plan(plain, healthy("a"), healthy("b"))).isEqualTo(new Plan(0, List.of()));
    }

    @Test
    void shouldLaunchWhatIsMissing() {
        assertThat(plan(plain)).isEqualTo(new Plan(2, List.of()));
        assertThat(plan(plain, healthy("a"), pending("b"))).isEqualTo(new Plan(0, List.of()));
        assertThat(plan(plain, healthy("a"), at("b", Lifecycle.TERMINATING))).isEqualTo(new Plan(1, List.of()));
    }

    @Test
    void shouldEndAnUnhealthyMachineAndLaunchAnotherAtOnceWithoutAPolicy() {
        assertThat(plan(plain, healthy("a"), unhealthy("b"))).isEqualTo(new Plan(1, List.of("b")));
    }

    @Test
    void shouldLaunchBeforeItEndsWithAPolicy() {
        assertThat(plan(careful, healthy("a"), unhealthy("b"))).isEqualTo(new Plan(1, List.of()));
        assertThat(plan(careful, healthy("a"), unhealthy("b"), pending("c"))).isEqualTo(new Plan(0, List.of()));
        assertThat(plan(careful, healthy("a"), unhealthy("b"), young("c"))).isEqualTo(new Plan(0, List.of()));
        assertThat(plan(careful, healthy("a"), unhealthy("b"), healthy("c"))).isEqualTo(new Plan(0, List.of("b")));
        assertThat(plan(careful, healthy("a"), at("b", Lifecycle.TERMINATING), healthy("c")))
                .isEqualTo(new Plan(0, List.of()));
    }

    @Test
    void shouldReplaceOneAfterAnotherWhereThePolicyLeavesNoRoomForMore() {
        assertThat(plan(careful, unhealthy("a"), unhealthy("b"))).isEqualTo(new Plan(1, List.of()));
        assertThat(plan(careful, unhealthy("a"), unhealthy("b"), young("c"))).isEqualTo(new Plan(0, List.of()));
        assertThat(plan(careful, unhealthy("a"), unhealthy("b"), healthy("c"))).isEqualTo(new Plan(1, List.of("a")));
        assertThat(plan(careful, unhealthy("b"), healthy("c"), healthy("d"))).isEqualTo(new Plan(0, List.of("b")));
    }

    @Test
    void shouldEndAtOnceWhatDoesNotRunAlsoWithAPolicy() {
        Group group = group(healthy("a"), unhealthy("b"));
        assertThat(Plan.of(careful, group, Set.of("b"), PlanTest::zone)).isEqualTo(new Plan(1, List.of("b")));
    }

    @Test
    void shouldEndTheOldestOfASurplusAndUnhealthyOnesFirst() {
        assertThat(plan(plain, young("a"), healthy("b"), young("c"))).isEqualTo(new Plan(0, List.of("b")));
        Group resting = group(young("a"), healthy("b"), unhealthy("c")).suspending(List.of("ReplaceUnhealthy"));
        assertThat(Plan.of(plain, resting, Set.of(), PlanTest::zone)).isEqualTo(new Plan(0, List.of("c")));
    }

    @Test
    void shouldEndTheNewestOfASurplusWhereThePolicySaysSo() {
        MachineGroup group = new SmallAssembly()
                .with("/Hosts/Properties/TerminationPolicies", "[\"NewestInstance\"]")
                .read()
                .machineGroup("Hosts");
        assertThat(plan(group, healthy("a"), healthy("b"), young("b2"))).isEqualTo(new Plan(0, List.of("b2")));
        assertThat(plan(plain, healthy("a"), healthy("b"), young("b2"))).isEqualTo(new Plan(0, List.of("b")));
    }

    @Test
    void shouldEndASurplusWhereTheMostMachinesAre() {
        assertThat(plan(plain, healthy("a"), young("b"), young("b2")).endings())
                .singleElement()
                .asString()
                .startsWith("b");
    }

    @Test
    void shouldLeaveWhatRests() {
        Group group = group(healthy("a"), unhealthy("b"));
        assertThat(Plan.of(plain, group.suspending(List.of("ReplaceUnhealthy")), Set.of("b"), PlanTest::zone))
                .isEqualTo(new Plan(0, List.of()));
        assertThat(Plan.of(plain, group.suspending(List.of("Terminate")), Set.of(), PlanTest::zone))
                .isEqualTo(new Plan(0, List.of()));
        assertThat(Plan.of(plain, group.suspending(List.of("Launch")), Set.of(), PlanTest::zone))
                .isEqualTo(new Plan(0, List.of("b")));
    }

    private static Plan plan(MachineGroup template, Instance... instances) {
        return Plan.of(template, group(instances), Set.of(), PlanTest::zone);
    }

    private static String zone(String id) {
        return "zone-" + id.charAt(0);
    }

    private static Group group(Instance... instances) {
        return new Group(2, 3, 2, WARMUP, List.of(), Arrays.asList(instances));
    }

    private static Instance healthy(String id) {
        return at(id, Lifecycle.IN_SERVICE);
    }

    private static Instance young(String id) {
        return new Instance(id, Lifecycle.IN_SERVICE, true, System.currentTimeMillis());
    }

    private static Instance pending(String id) {
        return Instance.pending(id);
    }

    private static Instance unhealthy(String id) {
        return healthy(id).called(false);
    }

    private static Instance at(String id, Lifecycle lifecycle) {
        return new Instance(id, lifecycle, true, System.currentTimeMillis() - LONG_AGO);
    }
}
