"""What waits for what: each limit holds what has to happen within it, wherever either of them stands. The time that the
app reckons with for a release is in release/test_release_time.py.
"""

from __future__ import annotations

import re
import unittest

from agent import budgets, process, resident
from agent.decide import tickets, ticks
from agent.release.plan import DELAY
from source import read

# a machine is busy when it shuts down
BUSY = 15
# of docker.service, which has none of its own: https://www.freedesktop.org/software/systemd/man/latest/systemd-system.conf.html
STOP_OF_DOCKER = 90
# of a run of the pipeline, what comes before the wait for an answer and after it (WorkflowsTest)
BESIDE_THE_ANSWER = 15 * 60

PARTS = {name: value for name, value in vars(budgets).items() if re.fullmatch("OUT_[A-Z]+", name)}
WAY_OUT = sum(PARTS.values())
SHUTDOWN = WAY_OUT - budgets.OUT_DEMOTE - budgets.OUT_LEAVE


def number(path: str, pattern: str) -> int:
    """The one number that the pattern finds there."""
    found = set(re.findall(pattern, read(path)))
    assert len(found) == 1, f"{path}: {pattern} finds {sorted(found)}"
    return int(found.pop())


def unit(name: str, key: str) -> int:
    return number(f"docker/host/units/twinhost-{name}.service", rf"(?m)^{key}=([0-9]+)$")


def reckoned(name: str) -> int:
    """What the app reckons with for a release."""
    path = "src/main/java/dev/twinhost/settings/ReleaseTime.java"
    return number(path, rf"private static final int {name} = ([0-9]+);")


def group(name: str) -> int:
    """What an auto scaling group gives a machine."""
    path = "src/main/java/dev/twinhost/MachineGroup.java"
    minutes = re.search(rf"Duration {name} = Duration\.minutes\(", read(path))
    return number(path, rf"Duration {name} = Duration\.(?:minutes|seconds)\(([0-9]+)\);") * (60 if minutes else 1)


def balancer(name: str) -> int:
    return number("src/main/java/dev/twinhost/EdgeLoadBalancer.java", rf"static final int {name} = ([0-9]+);")


def lame_duck() -> int:
    return balancer("FALL") * (balancer("INTERVAL") + balancer("TIMEOUT")) + derived("lameDuckSeconds")


def update_delay() -> int:
    return balancer("RISE") * (balancer("INTERVAL") + balancer("TIMEOUT")) + derived("edgeUpdateDelaySeconds")


def derived(name: str) -> int:
    """What the app adds to the health checks."""
    path = "src/main/java/dev/twinhost/EdgeLoadBalancer.java"
    return number(path, rf"static int {name}\(\) {{\s+return [A-Z]+ \* \(INTERVAL \+ TIMEOUT\) \+ ([0-9]+);")


class BudgetsTest(unittest.TestCase):
    def fits(self, limit: int, *parts: int) -> None:
        """The parts, one after the other, are over when the limit is."""
        self.assertLessEqual(sum(parts), limit, f"{' + '.join(map(str, parts))}")

    def is_longer(self, limit: int, *parts: int) -> None:
        self.assertGreater(limit, sum(parts), f"{' + '.join(map(str, parts))}")


class RecordTest(BudgetsTest):
    """Readers of the record judge a manager by its heartbeat, and whoever changes something by its own last look."""

    tick = budgets.HEARTBEAT_PERIOD + resident.PACE
    # it reads, mends its own, reads again and beats
    stall = 4 * budgets.STORAGE

    def test_a_heartbeat_is_fresh_for_three_ticks_and_a_stall_of_the_storage(self) -> None:
        self.fits(budgets.FRESH, 3 * self.tick, self.stall)

    def test_a_heartbeat_is_fresh_where_one_run_has_to_be_ended(self) -> None:
        self.is_longer(budgets.FRESH, budgets.HEARTBEAT_PERIOD, budgets.HEARTBEAT_LIMIT, ticks.GRACE)

    def test_a_heartbeat_is_fresh_where_the_agent_hangs_and_is_started_again(self) -> None:
        again = unit("agent", "WatchdogSec") + unit("agent", "RestartSec")
        self.is_longer(budgets.FRESH, again, budgets.HEARTBEAT_PERIOD, budgets.STORAGE)

    def test_a_run_of_heartbeat_ends_by_itself(self) -> None:
        self.fits(budgets.HEARTBEAT_LIMIT, self.stall, 2 * budgets.ENGINE_LOOK)

    def test_the_lease_lasts_for_two_ticks_of_what_renews_it(self) -> None:
        self.is_longer(budgets.LEASE, 2 * self.tick, budgets.STORAGE)

    def test_nobody_holds_a_lease_any_more_when_another_machine_may_found(self) -> None:
        self.is_longer(budgets.FRESH, budgets.LEASE)

    def test_nobody_is_replaced_for_the_lack_of_a_leader_while_one_may_come(self) -> None:
        self.is_longer(budgets.LEADERLESS, budgets.FRESH, budgets.HEAD_START, budgets.ENGINE_SWARM, budgets.NEW_LEADER)

    def test_a_machine_that_boots_is_not_replaced(self) -> None:
        self.fits(budgets.MISSING, group("BOOT"))
        self.is_longer(budgets.MISSING, group("WARMUP"))

    def test_a_machine_whose_docker_starts_again_is_not_replaced(self) -> None:
        self.is_longer(budgets.DOWN, budgets.DOCKER_START, budgets.LEADER)


class AgentTest(BudgetsTest):
    def test_a_tick_that_is_told_to_end_ends_its_programs_before_it_is_killed(self) -> None:
        # TERM, and then KILL
        self.is_longer(ticks.GRACE, 2 * process.GRACE)

    def test_the_agent_ends_its_ticks_before_systemd_kills_it(self) -> None:
        self.is_longer(budgets.TICKS_END, ticks.GRACE)
        self.is_longer(unit("agent", "TimeoutStopSec"), budgets.TICKS_END, resident.PACE)

    def test_the_watchdog_waits_for_three_reports(self) -> None:
        self.fits(unit("agent", "WatchdogSec"), 3 * (budgets.REPORT_ALIVE + resident.PACE))

    def test_a_run_of_certificate_can_wait_for_that_of_a_boot(self) -> None:
        self.is_longer(budgets.CERTIFICATE_LIMIT, budgets.CERTIFICATE_LOCK, budgets.STORAGE)

    def test_certbot_gets_its_answer_whoever_does_not_answer(self) -> None:
        waits = number("docker/certbot/entrypoint.sh", r'\[ "\$waited" -lt ([0-9]+) \]')
        self.is_longer(waits, resident.PACE, budgets.STORAGE, budgets.RESOLVER)
        self.is_longer(waits, resident.PACE, budgets.STORAGE, 2 * budgets.AWS)

    def test_a_look_for_the_notice_ends_by_itself(self) -> None:
        self.is_longer(budgets.NOTICE_LIMIT, 2 * budgets.METADATA)


class BootTest(BudgetsTest):
    launched = "src/main/resources/dev/twinhost/user-data.sh"
    # until it is in the cluster and complete; a release that has converged already is not waited for
    boot = (
        *(budgets.IDENTITY, budgets.MOUNTED, budgets.MOUNT, budgets.CERTIFICATE_LOCK, budgets.TICKETS_LOCK),
        *(budgets.DOCKER_RESTART, 2 * budgets.DOCKER_START, budgets.JOIN, budgets.SAYS_WHAT_RUNS, budgets.COMPLETE),
    )
    # what a host adds that brings the first release of an application that starts quickly
    first_release = (
        *(budgets.FOUNDER_FIRST, budgets.RESOLVE, budgets.PULL, budgets.DEPLOY, budgets.DEPLOY_CALL, budgets.NOTE),
        reckoned("LEAST_CONVERGE"),
    )

    def test_the_unit_of_a_boot_gives_it_its_time(self) -> None:
        self.is_longer(unit("bootstrap", "TimeoutStartSec"), *self.boot)
        # who founds waits for nobody that takes it in
        quickly = [part for part in self.boot if part not in (budgets.JOIN, budgets.COMPLETE)]
        self.is_longer(unit("bootstrap", "TimeoutStartSec"), *quickly, *self.first_release)

    def test_the_unit_of_heal_lets_it_leave_a_cluster_and_boot_into_another(self) -> None:
        out = WAY_OUT - budgets.OUT_ASK - budgets.OUT_DEMOTE
        self.is_longer(unit("heal", "TimeoutStartSec"), budgets.ACTIVE, out, *self.boot)

    def test_the_launcher_and_a_boot_say_what_they_wait_for_before_the_deploy_gives_up(self) -> None:
        self.is_longer(group("BOOT"), number(self.launched, r"(?m)^readonly LIMIT=([0-9]+)$"))
        self.is_longer(group("BOOT"), budgets.IDENTITY, budgets.MOUNTED, budgets.MOUNT, budgets.JOIN)

    def test_systemd_gives_up_a_mount_before_who_waits_for_it_does(self) -> None:
        self.is_longer(budgets.MOUNT, number(self.launched, r"x-systemd\.mount-timeout=([0-9]+)s"))
        self.is_longer(budgets.MOUNTED, budgets.MOUNT)

    def test_docker_is_restarted_after_the_machine_has_drained(self) -> None:
        self.is_longer(budgets.DOCKER_RESTART, unit("drain", "TimeoutStopSec"), STOP_OF_DOCKER)


class LeavingTest(BudgetsTest):
    def test_the_parts_of_the_way_out_are_these(self) -> None:
        parts = {name[len("OUT_") :] for name in PARTS}
        self.assertEqual({"ASK", "ENGINE", "SPREAD", "DRAIN", "EDGE", "DEMOTE", "LEAVE"}, parts)

    def test_a_shutdown_gives_them_their_time(self) -> None:
        self.fits(unit("drain", "TimeoutStopSec"), SHUTDOWN, BUSY)

    def test_a_termination_gives_them_their_time(self) -> None:
        # the hook begins when the balancer has let go of the machine
        self.fits(balancer("DRAIN_SECONDS") + group("GOODBYE"), budgets.NOTICE_PERIOD, WAY_OUT)

    def test_the_unit_that_the_notice_starts_gives_them_their_time(self) -> None:
        self.is_longer(unit("notice", "TimeoutStartSec"), budgets.DRAIN_LOCK, WAY_OUT, budgets.LET_GO)

    def test_another_way_out_is_waited_for_until_it_is_over(self) -> None:
        self.is_longer(budgets.DRAIN_LOCK, WAY_OUT)

    def test_the_group_is_asked_to_go_on_until_its_hook_ends_by_itself(self) -> None:
        self.is_longer(budgets.LET_GO, balancer("DRAIN_SECONDS"), group("GOODBYE"))

    def test_each_part_holds_what_is_done_in_it(self) -> None:
        # twice, with a pause of a second
        self.fits(budgets.OUT_ASK, 4 * budgets.METADATA, 1)
        self.fits(budgets.OUT_ENGINE, 3 * budgets.ENGINE_LOOK)
        self.fits(budgets.OUT_SPREAD, budgets.LIST, budgets.STOP_OTHERS, budgets.TERM_GRACE)
        self.fits(budgets.OUT_EDGE, budgets.LIST, budgets.STOP_EDGE, budgets.TERM_GRACE)
        looks = 3 * budgets.ENGINE_LOOK
        self.fits(budgets.OUT_DEMOTE, 2 * budgets.DEMOTE, budgets.TERM_GRACE, looks)
        self.is_longer(budgets.OUT_LEAVE, budgets.STORAGE, budgets.ENGINE)

    def test_an_edge_is_waited_for_until_it_has_drained(self) -> None:
        self.is_longer(budgets.STOP_EDGE, lame_duck(), budgets.EDGE_LAST)
        self.is_longer(budgets.OUT_EDGE, budgets.ENGINE_LOOK, lame_duck(), budgets.EDGE_LAST)


class EdgeTest(BudgetsTest):
    def test_the_balancer_keeps_a_connection_for_as_long_as_the_edge_does(self) -> None:
        self.fits(balancer("DRAIN_SECONDS"), budgets.EDGE_LAST)

    def test_an_edge_that_waits_for_another_host_is_over_before_any_release_gives_up(self) -> None:
        self.is_longer(reckoned("LEAST_CONVERGE"), budgets.EDGE_PATIENCE, lame_duck(), budgets.EDGE_LAST)

    def test_two_edges_are_exchanged_one_after_the_other_before_any_release_gives_up(self) -> None:
        turn = number("docker/edge/entrypoint.sh", r"\$\(\(1 \+ \$\(chance ([0-9]+)\)\)\)")
        # start_period, and three checks
        start = 10 + 3 * 5
        one = turn + lame_duck() + budgets.EDGE_LAST + start + update_delay()
        self.is_longer(reckoned("LEAST_CONVERGE"), 2 * one)

    def test_a_session_ends_before_the_key_of_its_ticket_is_gone(self) -> None:
        # a ticket is accepted while its key is one of the three: for a slot at least
        self.fits(tickets.SLOT, 3600 * number("nginx/snippets/tls.conf", r"(?m)^ssl_session_timeout ([0-9]+)h;$"))
        self.is_longer(tickets.SLOT, tickets.SLACK)

    def test_the_unit_of_the_tickets_gives_them_their_time(self) -> None:
        self.is_longer(unit("tickets", "TimeoutStartSec"), budgets.TICKETS_LOCK, budgets.STORAGE)


class ApplicationTest(BudgetsTest):
    def check(self, name: str) -> int:
        return number("docker/app/health.yml", rf"(?m)^      {name}: ([0-9]+)s?$")

    def test_a_container_has_the_time_to_end_that_the_app_reckons_with(self) -> None:
        stop = number("docker/app/service.yml", r"(?m)^    stop_grace_period: ([0-9]+)s$")
        self.assertEqual(reckoned("STOP"), stop)
        self.fits(stop, budgets.STOP_OTHERS)

    def test_a_container_is_ill_after_the_checks_that_the_app_reckons_with(self) -> None:
        self.assertEqual(reckoned("CHECKS_AND_DELAY"), self.check("retries") * self.check("interval") + DELAY)
        asks = number("docker/app/health.yml", r"(?:curl .* -m|wget .* -T) ([0-9]+) ")
        self.is_longer(self.check("timeout"), asks)

    def test_a_trial_sees_a_container_become_ill(self) -> None:
        self.fits(budgets.TRIAL, self.check("retries") * (self.check("interval") + self.check("timeout")))

    def test_an_update_watches_a_container_for_no_longer_than_the_app_reckons_with(self) -> None:
        files = ("docker/stack.yml", "docker/app/service.yml")
        monitors = [int(found) for file in files for found in re.findall(r"monitor: ([0-9]+)s", read(file))]
        self.assertEqual(4, len(monitors))
        self.fits(reckoned("MONITOR"), max(monitors))

    def test_the_unit_of_the_credentials_gives_them_their_time(self) -> None:
        asked = 4 * budgets.ENGINE
        # the last attempt begins just before the wait is over
        login = budgets.REGISTRY_AWAY + budgets.AWS_OTHER + budgets.LOGIN + process.GRACE
        self.is_longer(unit("credentials", "TimeoutStartSec"), asked, login, budgets.FRESH_PASSWORD)


class DeployTest(BudgetsTest):
    def test_a_run_of_the_pipeline_has_the_time_to_look_at_the_site(self) -> None:
        looks = number("bin/deploy", r"LOOKS=([0-9]+)") * number("bin/deploy", r"PAUSE_SECONDS=([0-9]+)")
        self.is_longer(BESIDE_THE_ANSWER, looks)

    def test_a_release_that_is_told_to_end_has_reported_before_it_is_killed(self) -> None:
        kill = number("src/main/resources/dev/twinhost/release-document.json", r"timeout --kill-after=([0-9]+) ")
        # its programs end, by TERM or by KILL, and then the deploy has its answer, which the record notes
        self.fits(kill, 2 * process.GRACE, budgets.REPORT_ASK, budgets.STORAGE, budgets.REPORT_TELL)
        self.is_longer(reckoned("END"), kill)


if __name__ == "__main__":
    unittest.main()
