package dev.twinhost.rehearsal.release;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.MachineRelease.Outcome;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeliveryTest {
    private static final Machine TWO = new Machine("2", "i-2", "Hosts", "10.0.1.10", "subnet-b", "eu-central-1b");

    @Test
    void shouldPushToEveryMachineAtOnce() {
        assertThat(Delivery.PUSHED.reaches(TWO)).isTrue();
        assertThat(Delivery.PUSHED.firstQuestion(2, 3)).isZero();
    }

    @Test
    void shouldHaveMachinesAskAtDifferentMomentsOfOneInterval() {
        Delivery polled = new Delivery(Set.of(), Duration.ofMinutes(10));
        assertThat(polled.firstQuestion(0, 3)).isEqualTo(Duration.ofSeconds(200));
        assertThat(polled.firstQuestion(1, 3)).isEqualTo(Duration.ofSeconds(400));
        assertThat(polled.firstQuestion(2, 3)).isEqualTo(Duration.ofMinutes(10));
    }

    @Test
    void shouldNotReachAMachineThatMissesIt() {
        Delivery delivery = new Delivery(Set.of("2"), Duration.ZERO);
        assertThat(delivery.reaches(TWO)).isFalse();
        assertThat(new MachineRelease(TWO, Outcome.MISSED, "", Duration.ZERO).lastLine())
                .isEqualTo("has missed the association");
    }
}
