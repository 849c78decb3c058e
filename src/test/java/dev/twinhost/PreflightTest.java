package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host answers when certbot asks whether an order can succeed. */
@Needs({"jq", "openssl", "python3"})
class PreflightTest {
    private static final String BALANCER = "198.51.100.80\n198.51.100.81\n";

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createHostThatMayAct() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.write(
                "run/twinhost/record",
                "{\"generation\":1,\"founder\":\"i-0a\",\"cluster\":\"cluster-a\",\"release\":\"\",\"managers\":[],\"read\":990}");
        shell.standIn("getent", """
                file=$TWINHOST_ROOT/dns/$1/$2
                [[ -e $file ]] || exit 2
                while read -r address; do printf '%s STREAM %s\\n' "$address" "$2"; done <"$file\"""");
        shell.standIn("aws", "[[ -e $TWINHOST_ROOT/targets ]] && cat $TWINHOST_ROOT/targets");
        addresses("balancer.example.net", BALANCER);
        addresses("www.example.com", BALANCER);
        addresses("example.com", "198.51.100.81\n");
        targets("healthy");
    }

    @Test
    void shouldAllowAnOrderThatCanSucceed() {
        assertThat(answer()).isEqualTo("ok");
    }

    @Test
    void shouldWaitForTheBalancersOwnName() {
        shell.bash("rm dns/ahostsv4/balancer.example.net");

        assertThat(answer()).isEqualTo("the balancer's name balancer.example.net has no address yet");
    }

    @Test
    void shouldWaitForTheRecordOfEachName() {
        shell.bash("rm dns/ahostsv4/example.com");

        assertThat(answer()).isEqualTo("example.com has no A record yet");
    }

    @Test
    void shouldAskForEveryExtraName() {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net");
        Release.of(shell, Release.SHA, settings);
        addresses("old.example.com", BALANCER);
        assertThat(answer()).isEqualTo("example.net has no A record yet");

        addresses("example.net", "192.0.2.7\n");
        shell.write("var/lib/twinhost/preflight/answer", "");
        assertThat(answer()).isEqualTo("example.net points to 192.0.2.7, which is not the balancer");

        addresses("example.net", BALANCER);
        shell.write("var/lib/twinhost/preflight/answer", "");
        assertThat(answer()).isEqualTo("ok");
    }

    @Test
    void shouldRefuseANameOfWhichOneAddressPointsElsewhere() {
        addresses("www.example.com", "198.51.100.80\n192.0.2.7\n");

        assertThat(answer()).isEqualTo("www.example.com points to 192.0.2.7, which is not the balancer");
    }

    @Test
    void shouldRefuseANameWithAnAaaaRecordThatPointsElsewhere() {
        shell.write("dns/hosts/example.com", "2001:db8::7\n");

        assertThat(answer()).isEqualTo("example.com has an AAAA record, 2001:db8::7, which is not the balancer's");
    }

    @Test
    void shouldWaitForAHealthyTarget() {
        targets("unhealthy");

        assertThat(answer()).isEqualTo("the balancer has no healthy target yet");
    }

    @Test
    void shouldWaitWhereTheHealthCannotBeAsked() {
        shell.bash("rm targets");

        assertThat(answer()).isEqualTo("the balancer has no healthy target yet");
    }

    @Test
    void shouldRefuseOnAMachineThatMayNotAct() {
        shell.uptime(2000);

        assertThat(answer()).isEqualTo("the cluster record was last read 1010 s ago");
    }

    @Test
    void shouldAnswerTheSameQuestionOnceAndEachNewOneAgain() {
        assertThat(answer()).isEqualTo("ok");
        targets("unhealthy");
        shell.verb("certificate");
        assertThat(shell.read("var/lib/twinhost/preflight/answer")).isEqualTo("question ok\n");

        shell.write("var/lib/twinhost/preflight/request", "another\n");
        verb();
        assertThat(shell.read("var/lib/twinhost/preflight/answer"))
                .isEqualTo("another the balancer has no healthy target yet\n");
    }

    private String answer() {
        shell.write("var/lib/twinhost/preflight/request", "question\n");
        Shell.Result result = verb();
        assertThat(result.status()).as(result.output()).isZero();
        String answer = shell.read("var/lib/twinhost/preflight/answer");
        assertThat(answer).startsWith("question ").endsWith("\n");
        return answer.substring("question ".length()).strip();
    }

    private Shell.Result verb() {
        return Release.verb(shell, "certificate");
    }

    private void addresses(String name, String addresses) {
        shell.write("dns/ahostsv4/" + name, addresses);
    }

    private void targets(String state) {
        shell.write(
                "targets",
                "{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"i-0a\"},\"TargetHealth\":{\"State\":\"" + state
                        + "\"}}]}");
    }
}
