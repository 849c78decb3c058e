package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The entry point of certbot's container with a certbot that does what the test says. Its clock goes on where it sleeps;
 * it ends itself when {@code horizon} is reached.
 */
class CertbotTest {
    private static final int START = 1_000_000;
    private static final int DAY = 86_400;

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createContainer() {
        shell = new Shell(root)
                .with("TWINHOST_DOMAIN", "example.com")
                .with("TWINHOST_EMAIL", "someone@example.com")
                .with("TWINHOST_ACME_DIRECTORY", "https://acme.example/directory")
                .with("TWINHOST_ACME_NAME", "production")
                .with("TWINHOST_ACME_PROFILE", "")
                .with("TWINHOST_EXTRA_DOMAINS", "");
        shell.write("srv/letsencrypt/keep", "");
        shell.write("srv/preflight/keep", "");
        shell.uptime(START);
        shell.standIn("date", "cut -d. -f1 \"$TWINHOST_ROOT/proc/uptime\"");
        // The host answers at once. Time goes by in steps, and in one step to just before the next planned attempt.
        shell.write("pace", "6");
        shell.standIn("sleep", """
                read -r now _ <"$TWINHOST_ROOT/proc/uptime"
                now=$((${now%.*} + $(cat "$TWINHOST_ROOT/pace") * $1))
                next=0
                if read -r _ next _ 2>/dev/null <"$TWINHOST_ROOT/srv/letsencrypt/production.next" && ((next - 30 > now)); then
                  now=$((next - 30))
                fi
                echo "$now.00 0.00" >"$TWINHOST_ROOT/proc/uptime"
                if [[ -e $TWINHOST_ROOT/host && -e $TWINHOST_ROOT/srv/preflight/request ]]; then
                  printf '%s %s\\n' "$(cat "$TWINHOST_ROOT/srv/preflight/request")" "$(cat "$TWINHOST_ROOT/host")" >"$TWINHOST_ROOT/srv/preflight/answer"
                fi
                if ((now > $(cat "$TWINHOST_ROOT/horizon"))); then kill -TERM "$PPID"; fi""");
        shell.standIn("certbot", """
                printf '%s %s\\n' "$(date)" "$*" >>"$TWINHOST_ROOT/orders"
                . "$TWINHOST_ROOT/certbot\"""");
        certbot("exit 0");
        host("ok");
    }

    @Test
    void shouldOrderAtOnceForBothNames() throws Exception {
        run(START + 60);

        assertThat(orders()).hasSize(1);
        assertThat(orders().get(0).split(" ", 2)[1])
                .isEqualTo(
                        "certonly -n --agree-tos -m someone@example.com --server https://acme.example/directory --webroot -w "
                                + root
                                + "/srv/acme --cert-name example.com -d www.example.com,example.com --renew-with-new-domains"
                                + " --keep-until-expiring --no-directory-hooks --config-dir " + root
                                + "/srv/letsencrypt/production --work-dir /tmp/certbot/work --logs-dir /tmp/certbot/logs");
        assertThat(times().get(0)).isLessThan(60);
    }

    @Test
    void shouldLookTwiceADayAfterASuccessNeverAtTheSameMinute() throws Exception {
        run(START + 2 * DAY);

        assertThat(gaps()).hasSizeBetween(3, 5).allMatch(gap -> gap > DAY / 2 - 7300 && gap < DAY / 2 + 200);
        assertThat(gaps()).doesNotHaveDuplicates();
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("has a certificate for www.example.com,example.com\n");
    }

    @Test
    void shouldBackOffOneTenAHundredMinutesAndThenADay() throws Exception {
        certbot("exit 1");

        run(START + 3 * DAY);

        List<Integer> wanted = List.of(60, 600, 6000, DAY, DAY);
        assertThat(gaps()).hasSize(wanted.size());
        for (int i = 0; i < wanted.size(); i++) {
            assertThat(gaps().get(i)).isBetween(wanted.get(i), wanted.get(i) + 200);
        }
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("the attempt failed (6 in a row), the next one is in 1440 min\n");
    }

    @Test
    void shouldKeepItsBackOffWhenContainersDieOfTheOrder() throws Exception {
        certbot("kill -KILL \"$PPID\"");

        for (int container = 0; container < 8; container++) {
            run(START + DAY);
        }

        assertThat(gaps().get(0)).isBetween(60, 260);
        assertThat(gaps().get(1)).isBetween(600, 800);
        assertThat(gaps().get(2)).isBetween(6000, 6200);
        assertThat(gaps().subList(3, gaps().size())).allMatch(gap -> gap >= DAY);
    }

    @Test
    void shouldBeginAgainWithAMinuteAfterASuccess() throws Exception {
        certbot("[[ $(wc -l <\"$TWINHOST_ROOT/orders\") == 3 ]]");

        run(START + DAY);

        assertThat(gaps().get(0)).isBetween(60, 260);
        assertThat(gaps().get(1)).isBetween(600, 800);
        assertThat(gaps().get(2)).isGreaterThan(30_000);
        assertThat(gaps().get(3)).isBetween(60, 260);
    }

    @Test
    void shouldNotOrderWhileTheHostSaysThatItCannotSucceed() throws Exception {
        host("www.example.com has no A record yet");
        shell.write("pace", "300");

        run(START + DAY);

        assertThat(orders()).isEmpty();
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("waits: www.example.com has no A record yet\n");
    }

    @Test
    void shouldNotOrderWhileNoHostAnswers() throws Exception {
        shell.bash("rm host");
        shell.write("pace", "60");

        run(START + DAY);

        assertThat(orders()).isEmpty();
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("waits: the host did not answer the pre-flight within 60 s\n");
    }

    @Test
    void shouldNotTakeAnOldAnswerForThisQuestion() throws Exception {
        shell.bash("rm host");
        shell.write("pace", "60");
        shell.write("srv/preflight/answer", "an-older-question ok\n");

        run(START + 3600);

        assertThat(orders()).isEmpty();
    }

    @Test
    void shouldTryAtOnceWhenTheNamesChange() throws Exception {
        certbot("exit 1");
        shell.write("srv/letsencrypt/production.next", "5 " + (START + 80_000) + " www.example.net,example.net\n");

        run(START + 50);

        assertThat(orders()).hasSize(1);
    }

    @Test
    void shouldOrderForEveryExtraNameInTheProfileThatIsWanted() throws Exception {
        shell.with("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net").with("TWINHOST_ACME_PROFILE", "tlsserver");

        run(START + 60);

        assertThat(orders())
                .singleElement()
                .asString()
                .contains(" -d www.example.com,example.com,old.example.com,example.net ")
                .contains(" --preferred-profile tlsserver ");
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("has a certificate for www.example.com,example.com,old.example.com,example.net\n");
    }

    @Test
    void shouldTakeAnExtraNameMoreOrLessForOtherNames() throws Exception {
        shell.write(
                "srv/letsencrypt/production.next",
                "5 " + (START + 80_000) + " www.example.com,example.com,old.example.com\n");

        run(START + 50);

        assertThat(orders()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "5",
                "5 %d",
                "x %d www.example.com,example.com\n",
                "5 x www.example.com,example.com\n",
                "5 %d www.exam"
            })
    void shouldNotTakeAPlanThatCannotBeReadForNone(String damaged) throws Exception {
        shell.write("srv/letsencrypt/production.next", damaged.formatted(START));

        run(START + DAY - 3600);

        assertThat(orders()).isEmpty();
        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("waits for a day: the plan of the next attempt could not be read\n");
    }

    @Test
    void shouldNotBelieveAPlanThatAWrongClockHasMade() throws Exception {
        shell.write("srv/letsencrypt/production.next", "0 " + (START + 30 * DAY) + " www.example.com,example.com\n");

        run(START + 50);

        assertThat(orders()).hasSize(1);
    }

    @Test
    void shouldEndAtOnceWhenItIsTold() throws Exception {
        shell.write("srv/letsencrypt/production.next", "0 " + (START + 40_000) + " www.example.com,example.com\n");
        shell.standIn("sleep", "touch $TWINHOST_ROOT/sleeps\nexec /bin/sleep 300");

        Process container = shell.start("sh", Shell.CHECKOUT + "/docker/certbot/entrypoint.sh");
        while (!shell.exists("sleeps")) {
            Thread.onSpinWait();
        }
        List<ProcessHandle> sleeps = container.descendants().toList();
        container.destroy();

        assertThat(container.waitFor(20, TimeUnit.SECONDS)).isTrue();
        sleeps.forEach(ProcessHandle::destroy);
        assertThat(orders()).isEmpty();
    }

    private void run(int horizon) throws Exception {
        shell.write("horizon", String.valueOf(horizon));
        shell.await(shell.start("sh", Shell.CHECKOUT + "/docker/certbot/entrypoint.sh"));
    }

    private void certbot(String script) {
        shell.write("certbot", script + "\n");
    }

    private void host(String answer) {
        shell.write("host", answer + "\n");
    }

    private List<String> orders() throws IOException {
        Path orders = shell.path("orders");
        return Files.exists(orders) ? Files.readAllLines(orders) : List.of();
    }

    private List<Integer> times() throws IOException {
        return orders().stream()
                .map(order -> Integer.parseInt(order.split(" ")[0]) - START)
                .toList();
    }

    private List<Integer> gaps() throws IOException {
        List<Integer> times = times();
        return IntStream.range(1, times.size())
                .mapToObj(i -> times.get(i) - times.get(i - 1))
                .toList();
    }
}
