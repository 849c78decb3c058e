package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a manager does for its cluster, with stand-ins for the engine and AWS; real machines are in the rehearsal's tests. */
@Needs({"jq", "openssl", "python3"})
class HealTest {
    private static final String MISSED = "c".repeat(64);

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;
    private ClusterStandIn cluster;

    @BeforeEach
    void createLeaderOfAWholeCluster() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
        engine = new EngineStandIn(shell).swarm("active", "cluster-a");
        cluster = new ClusterStandIn(shell, engine);
        engine.answer("GET", "/configs", "[]");
        engine.answer("GET", "/services", "[{\"ID\":\"s\"}]");
        shell.write("run/twinhost/bootstrap.lock", "");
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        record("claim", "1", Machine.INSTANCE, Machine.ADDRESS);
        found(1, "cluster-a");
        shell.standIn("systemctl", "printf 'systemctl %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"");
    }

    @Test
    void shouldAskAwsNothingWhileEveryMachineIsThere() {
        assertThat(heal()).isEmpty();

        assertThat(calls("aws")).isEmpty();
        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldDemoteAndRemoveANodeWhoseInstanceIsGone() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").noInstance(ClusterStandIn.OTHER);

        assertThat(heal()).endsWith("removed the node n-b: its instance i-0b is gone\n");

        assertThat(calls("docker")).containsExactly("docker node demote n-b", "docker node rm --force n-b");
        assertThat(shell.read("var/lib/twinhost/healed")).endsWith("removed the node n-b: its instance i-0b is gone\n");
    }

    @Test
    void shouldRemoveANodeThatItsGroupIsEnding() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").instance(ClusterStandIn.OTHER, "Terminating:Wait");

        heal();

        assertThat(calls("docker")).contains("docker node rm --force n-b");
    }

    @Test
    void shouldRemoveANodeWhoseInstanceWaitsOnlyForItsSuccessor() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").impaired(ClusterStandIn.OTHER);

        heal();

        assertThat(calls("docker")).contains("docker node rm --force n-b");
    }

    @Test
    void shouldRemoveTheNodeThatAJoinedMachineWasBefore() {
        cluster.node("n-old", ClusterStandIn.OTHER, "host", "down");

        assertThat(heal()).contains("removed the node n-old: its machine is in the Swarm as another node");
    }

    @Test
    void shouldConcludeNothingFromAListThatDoesNotNameThisVeryMachine() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down")
                .noInstance(ClusterStandIn.OTHER)
                .noInstance(Machine.INSTANCE);

        heal();

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldHaveAMachineReplacedThatSwarmHasCalledDownForFiveMinutesThoughItRuns() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").target(ClusterStandIn.OTHER, "unhealthy");
        assertThat(heal()).isEmpty();
        shell.uptime(1299);
        assertThat(heal()).isEmpty();

        shell.uptime(1300);
        assertThat(heal()).endsWith("had i-0b replaced: Swarm has called n-b down for 300 s\n");

        assertThat(calls("aws autoscaling set"))
                .containsExactly("aws autoscaling set-instance-health --instance-id i-0b --health-status Unhealthy"
                        + " --no-should-respect-grace-period");
    }

    @Test
    void shouldBeginToCountAgainWhenANodeWasReadyInBetween() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down");
        heal();
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "ready");
        shell.uptime(1200);
        heal();
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down");
        shell.uptime(1400);

        assertThat(heal()).isEmpty();

        assertThat(replaced()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"1060, 1", "1061, 0"})
    void shouldForgetSinceWhenANodeIsDownOnlyAfterAMinuteWithoutTheRecord(int time, int replaced) {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").target(ClusterStandIn.OTHER, "unhealthy");
        heal();
        shell.uptime(time);
        shell.bash("mv srv away && touch srv");
        assertThat(heal()).endsWith("the cluster record cannot be read: nothing is changed\n");
        shell.bash("rm srv && mv away srv");
        shell.uptime(1300);
        heal();

        assertThat(replaced()).hasSize(replaced);
    }

    @Test
    void shouldNeverReplaceTheLastHealthyOne() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").target(Machine.INSTANCE, "unhealthy");
        heal();
        shell.uptime(2000);

        assertThat(heal())
                .endsWith("i-0b should be replaced, because Swarm has called n-b down for 1000 s, but it is the last"
                        + " one that the balancer calls healthy\n");

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldReplaceNothingWhileTheBalancerDoesNotSayWhoIsHealthy() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").noTargets();
        heal();
        shell.uptime(2000);

        assertThat(heal()).endsWith("but the balancer cannot be asked\n");

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldReplaceALostOneBeforeOneThatStillServes() {
        cluster.noNode("n-b").noNode("n-c").target(Machine.INSTANCE, "unhealthy");
        heal();
        shell.uptime(4000);

        assertThat(heal()).endsWith("had i-0c replaced: it has not been in the Swarm for 3000 s\n");
    }

    @Test
    void shouldReplaceOneAtATime() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").instance("i-0d", "Terminating:Wait");
        heal();
        shell.uptime(2000);

        assertThat(heal()).endsWith("but another machine is being replaced\n");

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldReplaceNothingWhileCloudFormationUpdatesTheGroups() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").suspend("ReplaceUnhealthy");
        heal();
        shell.uptime(2000);

        assertThat(heal()).endsWith("but the groups are being updated\n");

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldReplaceAMachineThatHasNotComeIntoTheSwarmForHalfAnHour() {
        cluster.noNode("n-c");
        heal();
        shell.uptime(2799);
        heal();
        assertThat(replaced()).isEmpty();

        shell.uptime(2800);
        assertThat(heal()).endsWith("had i-0c replaced: it has not been in the Swarm for 1800 s\n");
    }

    @Test
    void shouldStandInForALeaderWhoseHeartDoesNotBeat() {
        anotherLeads();
        cluster.node("n-c", ClusterStandIn.WITNESS, "witness", "down").noInstance(ClusterStandIn.WITNESS);
        assertThat(heal()).isEmpty();
        beat(Machine.INSTANCE, 1060, "yes");
        assertThat(heal()).isEmpty();
        beat(Machine.INSTANCE, 1061, "yes");

        assertThat(heal()).endsWith("removed the node n-c: its instance i-0c is gone\n");
    }

    @Test
    void shouldStandInForALeaderWhileAFreshMachineWaitsForThat() {
        anotherLeads();
        cluster.oldest("n-a")
                .node("n-c", ClusterStandIn.WITNESS, "witness", "down")
                .noInstance(ClusterStandIn.WITNESS)
                .node("n-d", "i-00", "witness", "ready");
        heal();
        beat(Machine.INSTANCE, 1061, "yes");
        beat("i-00", 1061, "yes");

        assertThat(heal()).endsWith("removed the node n-c: its instance i-0c is gone\n");
    }

    @Test
    void shouldLeaveItToTheLeaderWhileItsHeartBeats() {
        anotherLeads();
        cluster.node("n-c", ClusterStandIn.WITNESS, "witness", "down").noInstance(ClusterStandIn.WITNESS);
        for (int time = 1000; time <= 1200; time += 50) {
            beat(Machine.INSTANCE, time, "yes");
            beat(ClusterStandIn.OTHER, time, "yes");
            assertThat(heal()).isEmpty();
        }

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldStandInForALeaderOnOneManagerAlone() {
        anotherLeads();
        cluster.node("n-c", ClusterStandIn.WITNESS, "witness", "down")
                .noInstance(ClusterStandIn.WITNESS)
                .node("n-d", "i-0d", "witness", "ready")
                .oldest("n-d");
        for (int time = 1000; time <= 1200; time += 50) {
            beat(Machine.INSTANCE, time, "yes");
            beat("i-0d", time, "yes");
            assertThat(heal()).isEmpty();
        }

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldReplaceNoHostForAWrongNginxFileOrADeadApplication() {
        cluster.target(Machine.INSTANCE, "unhealthy").target(ClusterStandIn.OTHER, "unhealthy");
        heal();
        shell.uptime(9000);

        assertThat(heal()).isEmpty();

        assertThat(calls("aws")).isEmpty();
    }

    @Test
    void shouldStartOneMoreReplicaBeforeItEndsOneOfTwoOnTheSameHost() {
        app(2, "{}", "n-a", "n-a");
        engine.command(
                "service_update",
                "case $* in *twinhost.spread=2*) cp three engine/GET_tasks ;; *) cp two engine/GET_tasks ;; esac");
        shell.write("three", tasks("n-a", "n-a", "n-b"));
        shell.write("two", tasks("n-a", "n-b"));

        assertThat(heal()).endsWith("heal: spread the application over the hosts again\n");

        assertThat(calls("docker"))
                .containsExactly(
                        "docker service update --quiet --detach --no-resolve-image --label-add twinhost.spread=2"
                                + " --replicas 3 twinhost_app",
                        "docker service update --quiet --detach --no-resolve-image --label-rm twinhost.spread"
                                + " --replicas 2 twinhost_app");
    }

    @Test
    void shouldTakeBackAReplicaThatDoesNotComeUpAndNotTryAgainForTenMinutes() {
        app(2, "{}", "n-a", "n-a");

        assertThat(heal())
                .contains("the application could not be spread: waited 90 s for one more replica of the application");
        assertThat(calls("docker")).last().asString().contains("--label-rm twinhost.spread --replicas 2");
        int before = calls("docker").size();
        heal();

        assertThat(calls("docker")).hasSize(before);
    }

    @Test
    void shouldBringToItsEndWhatALeaderBeforeHasBegunToSpread() {
        app(3, "{\"twinhost.spread\":\"2\"}", "n-a", "n-a", "n-b");

        heal();

        assertThat(calls("docker")).last().asString().contains("--label-rm twinhost.spread --replicas 2");
    }

    @Test
    void shouldLeaveAnApplicationAloneThatIsSpread() {
        app(3, "{}", "n-a", "n-a", "n-b");

        heal();

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldChangeNothingWhereAnotherLeads() {
        engine.answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{}}");
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").noInstance(ClusterStandIn.OTHER);

        heal();

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldChangeNothingWhileTheRecordCannotBeRead() {
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").noInstance(ClusterStandIn.OTHER);
        shell.bash("rm -r srv/twinhost/swarm && touch srv/twinhost/swarm");

        assertThat(heal()).endsWith("the cluster record cannot be read: nothing is changed\n");

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldStartBootstrapAgainOnAMachineThatIsInNoCluster() {
        shell.bash("rm var/lib/twinhost/cluster-id");

        heal();

        assertThat(engine.commands()).contains("systemctl start --no-block twinhost-bootstrap.service");
    }

    @Test
    void shouldBringTheReleaseToAClusterThatNeverGotOne() {
        engine.answer("GET", "/services", "[]");

        assertThat(heal()).endsWith("bootstrap is started again, which brings it the release\n");

        assertThat(engine.commands()).contains("systemctl start --no-block twinhost-bootstrap.service");
    }

    @Test
    void shouldLeaveTheFirstReleaseToAHost() {
        Machine.witness(shell);
        engine.answer("GET", "/services", "[]");

        assertThat(heal()).isEmpty();
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("systemctl"));
    }

    @Test
    void shouldGoOverToTheReleaseThatConvergedLastWhereItMissedThat() {
        missARelease();
        assertThat(heal()).isEmpty();
        shell.uptime(1299);
        assertThat(heal()).isEmpty();

        shell.uptime(1300);
        assertThat(heal())
                .endsWith("went over to release " + MISSED
                        + ", which converged last and which this machine had missed\n");

        assertThat(shell.run("readlink", "opt/twinhost/current").output()).contains(MISSED);
        assertThat(engine.commands()).noneMatch(command -> command.contains("bootstrap") && command.contains("start "));
    }

    @Test
    void shouldStayWithItsReleaseWhileOneIsUnderWay() {
        missARelease();
        engine.answer("GET", "/configs", "[{\"ID\":\"turn\",\"Spec\":{\"Name\":\"twinhost_release\"}}]");
        heal();
        shell.uptime(5000);
        assertThat(heal()).isEmpty();

        engine.refuse("GET", "/configs", "no leader");
        shell.bash("rm engine/GET_configs");
        assertThat(heal()).isEmpty();

        assertThat(shell.exists("opt/twinhost/current")).isFalse();
    }

    @Test
    void shouldHaveSwarmBeginAgainOnceWithAServiceThatPendsThoughAHostCouldTakeIt() {
        pend();
        assertThat(heal()).isEmpty();
        shell.uptime(1119);
        assertThat(heal()).isEmpty();
        shell.uptime(1120);

        assertThat(heal()).endsWith("had Swarm begin again with the service s, of which every task was pending\n");
        shell.uptime(2000);
        heal();

        assertThat(calls("docker"))
                .containsExactly("docker service update --quiet --detach --no-resolve-image --force s");
    }

    @Test
    void shouldLeaveAServiceAloneOfWhichATaskRuns() {
        pend();
        engine.answer(
                "GET",
                "/tasks",
                "[{\"ServiceID\":\"s\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"pending\"}},"
                        + "{\"ServiceID\":\"s\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}}]");
        heal();
        shell.uptime(2000);
        heal();

        assertThat(calls("docker")).isEmpty();
    }

    @Test
    void shouldForgetInTheRecordAMachineThatIsGone() {
        record("beat", "1", ClusterStandIn.OTHER, "yes", "10.0.0.11");
        cluster.node("n-b", ClusterStandIn.OTHER, "host", "down").noInstance(ClusterStandIn.OTHER);

        heal();

        assertThat(shell.exists("srv/twinhost/swarm/generations/1/managers/" + ClusterStandIn.OTHER))
                .isFalse();
    }

    @Test
    void shouldSpreadAnApplicationWhoseEnvironmentIsTooLongForAnArgument() {
        app(2, "{\"long\":\"" + "x".repeat(200_000) + "\"}", "n-a", "n-a");

        heal();

        assertThat(calls("docker service update")).isNotEmpty();
    }

    @Test
    void shouldHaveOneLostManagerReplacedTheWitnessFirstWhenNobodySeesALeaderForTenMinutes() {
        loseTheLeader();
        assertThat(heal()).endsWith("what runs goes on running, and a fresh machine may found a cluster\n");
        beat(Machine.INSTANCE, 1300, "no");
        assertThat(heal()).isEmpty();
        beat(Machine.INSTANCE, 1599, "no");
        assertThat(heal()).isEmpty();
        beat(Machine.INSTANCE, 1600, "no");

        assertThat(heal())
                .endsWith("had i-0c replaced: nobody has seen a leader for 600 s, and its heart does not beat\n");
        beat(Machine.INSTANCE, 1630, "no");
        heal();

        assertThat(replaced()).hasSize(1);
        assertThat(shell.read("srv/twinhost/swarm/generations/1/rescues/1/by")).isEqualTo("i-0a\n");
    }

    @Test
    void shouldLeaveTheRescueToTheSurvivorThatClaimedIt() {
        loseTheLeader();
        heal();
        beat(Machine.INSTANCE, 1599, "no");
        record("rescue", "1", "1", "i-0z");
        shell.uptime(1700);
        heal();

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldRescueNobodyWhileAnyManagerSeesALeader() {
        loseTheLeader();
        for (int time = 1000; time <= 2000; time += 50) {
            beat(ClusterStandIn.OTHER, time, "yes");
            heal();
        }

        assertThat(replaced()).isEmpty();
    }

    @Test
    void shouldFollowTheRecordedClusterWhenAHostOfItIsHealthy() {
        anotherClusterIsRecorded();
        heal();
        beat(ClusterStandIn.OTHER, 1030, "yes");
        cluster.target(ClusterStandIn.OTHER, "healthy");

        assertThat(heal()).contains("heal: leaves its cluster and follows the recorded one, generation 2\n");

        assertThat(calls("docker node")).containsExactly("docker node update --availability drain node-1");
        assertThat(engine.commands())
                .anyMatch(command -> command.contains("POST") && command.contains("/swarm/leave?force=true"));
    }

    @Test
    void shouldMakeAMachineActiveAgainThatWasDrainedForARestartOfDocker() {
        shell.write("var/lib/twinhost/drained", "");
        shell.write("var/lib/twinhost/tls/retire", "");

        heal();

        assertThat(calls("docker node")).containsExactly("docker node update --availability active node-1");
        assertThat(shell.exists("var/lib/twinhost/drained")).isFalse();
        assertThat(shell.exists("var/lib/twinhost/tls/retire")).isFalse();
    }

    @Test
    void shouldGoOnServingWhileNoHostOfTheRecordedClusterIsHealthy() {
        anotherClusterIsRecorded();
        cluster.target(ClusterStandIn.OTHER, "unhealthy");
        heal();
        beat(ClusterStandIn.OTHER, 1030, "yes");

        assertThat(heal()).endsWith("the record names another cluster, of which no host is healthy yet\n");
        beat(ClusterStandIn.OTHER, 5000, "yes");
        heal();
        assertThat(calls("docker node")).isEmpty();
    }

    @Test
    void shouldFollowAtOnceWhereItServesNobodyAnyway() {
        anotherClusterIsRecorded();
        cluster.target(ClusterStandIn.OTHER, "unhealthy").target(Machine.INSTANCE, "unhealthy");
        heal();
        beat(ClusterStandIn.OTHER, 1030, "yes");

        assertThat(heal()).contains("follows the recorded one");
    }

    @Test
    void shouldNotFollowAClusterThatNobodyLeads() {
        anotherClusterIsRecorded();
        heal();
        beat(ClusterStandIn.OTHER, 5000, "no");

        assertThat(heal()).isEmpty();

        assertThat(calls("docker node")).isEmpty();
    }

    private void missARelease() {
        Release.of(shell, MISSED, Release.settings());
        record("converged", "1", MISSED, Release.json(MISSED));
    }

    private void pend() {
        engine.answer(
                "GET",
                "/tasks",
                "[{\"ServiceID\":\"s\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"pending\"}}]");
    }

    private void anotherLeads() {
        engine.answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{\"Leader\":false}}");
        cluster.leader("n-b");
        record("beat", "1", ClusterStandIn.OTHER, "yes", "10.0.0.11");
    }

    private void loseTheLeader() {
        engine.swarm("active", "");
        record("beat", "1", Machine.INSTANCE, "no", Machine.ADDRESS);
        record("beat", "1", ClusterStandIn.OTHER, "yes", "10.0.0.11");
        record("beat", "1", ClusterStandIn.WITNESS, "yes", "10.0.0.12");
        cluster.target(ClusterStandIn.OTHER, "unhealthy");
    }

    private void anotherClusterIsRecorded() {
        record("claim", "2", ClusterStandIn.OTHER, "10.0.0.11");
        found(2, "cluster-b");
        record("beat", "2", ClusterStandIn.OTHER, "yes", "10.0.0.11");
    }

    private void app(int replicas, String labels, String... nodes) {
        engine.answer(
                "GET",
                "/services/twinhost_app",
                "{\"Spec\":{\"Labels\":" + labels + ",\"Mode\":{\"Replicated\":{\"Replicas\":" + replicas + "}}}}");
        engine.answer("GET", "/tasks", tasks(nodes));
    }

    private static String tasks(String... nodes) {
        return List.of(nodes).stream()
                .map(node ->
                        "{\"NodeID\":\"" + node + "\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}}")
                .toList()
                .toString();
    }

    private void beat(String instance, int time, String leader) {
        shell.uptime(time);
        String generation = shell.exists("srv/twinhost/swarm/generations/2") ? "2" : "1";
        record("beat", generation, instance, leader, "10.0.0.11");
    }

    private void found(int generation, String id) {
        record("found", String.valueOf(generation), id);
    }

    private void record(String... words) {
        Shell.Result result = shell.record(words);
        assertThat(result.status()).as(result.output()).isZero();
    }

    private String heal() {
        return Release.verb(shell, "heal").output();
    }

    private List<String> calls(String start) {
        return engine.commands().stream()
                .filter(command -> command.startsWith(start))
                .toList();
    }

    private List<String> replaced() {
        return calls("aws autoscaling set-instance-health");
    }
}
