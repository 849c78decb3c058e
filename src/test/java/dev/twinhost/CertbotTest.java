package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.INTEGER;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The entry point of certbot's container with a certbot that does what the test says. Its clock goes on where it sleeps;
 * it ends itself when {@code horizon} is reached.
 */
@Needs("openssl")
class CertbotTest {
    private static final int START = 1_000_000;
    private static final int DAY = 86_400;
    private static final String ACCOUNTS = "srv/letsencrypt/production/accounts/acme.example/directory/";

    @TempDir
    static Path pair;

    @TempDir
    Path root;

    private Shell shell;

    @BeforeAll
    static void createPair() {
        Shell.Result made = new Shell(pair).bash("""
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj / -keyout privkey.pem -out cert.pem 2>/dev/null \\
                  -addext subjectAltName=DNS:www.example.com,DNS:example.com,DNS:old.example.com,DNS:example.net
                cp cert.pem chain.pem
                cat cert.pem chain.pem >fullchain.pem
                """);
        assertThat(made.status()).as(made.output()).isZero();
    }

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
        shell.with("PAIR", pair.toString());
        shell.standIn("certbot", """
                config=$TWINHOST_ROOT/srv/letsencrypt/production
                # what an order that succeeds leaves behind
                issue() { [[ -e $config/live/example.com ]] || { mkdir -p "$config/live/example.com" && cp "$PAIR"/*.pem "$config/live/example.com/"; }; }
                # refuse TYPE: what certbot has in its log of an answer of the CA
                refuse() {
                  folder=$(sed 's/.*--logs-dir \\([^ ]*\\).*/\\1/' <<<"$words")
                  mkdir -p "$folder"
                  printf 'Traceback (most recent call last):\\n%s\\n' "$1" >"$folder/letsencrypt.log"
                  exit 1
                }
                words=$*
                if [[ $1 == certonly ]]; then printf '%s %s\\n' "$(date)" "$*" >>"$TWINHOST_ROOT/orders"; else echo "$*" >>"$TWINHOST_ROOT/questions"; fi
                . "$TWINHOST_ROOT/certbot\"""");
        // of the accounts every one can be read, and of the renewal file nothing is wrong
        shell.standIn("python3", """
                if [[ $2 == accounts ]]; then for account in $(ls "$3"); do echo "$account yes"; done; fi""");
        certbot("issue");
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
                                + "/srv/letsencrypt/production --work-dir " + root + "/tmp/certbot/work --logs-dir "
                                + root
                                + "/tmp/certbot/logs");
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
        certbot("[[ $(wc -l <\"$TWINHOST_ROOT/orders\") == 3 ]] && issue");

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

    /** What is judged by a tool that does not run is not judged. */
    @ParameterizedTest
    @ValueSource(strings = {"exit 137", "exit 1", "[[ $1 != version ]] || kill -KILL $$; exit 1"})
    void shouldNeitherOrderNorMoveALineageWhileOpensslDoesNotRun(String openssl) throws Exception {
        shell.bash(
                "mkdir -p srv/letsencrypt/production/live/example.com && cp \"$PAIR\"/*.pem srv/letsencrypt/production/live/example.com/");
        shell.write("pace", "60");
        shell.standIn("openssl", openssl);

        run(START + DAY);

        assertThat(orders()).isEmpty();
        assertThat(shell.read("srv/letsencrypt/production.status")).isEqualTo("waits: openssl does not run\n");
        assertThat(shell.exists("srv/letsencrypt/production/live/example.com/fullchain.pem"))
                .isTrue();
        assertThat(shell.exists("srv/letsencrypt/production/broken")).isFalse();
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
    void shouldNotSayThatThereIsACertificateWhereCertbotHasLeftNone() throws Exception {
        certbot("exit 0");

        run(START + 300);

        assertThat(shell.read("srv/letsencrypt/production.status"))
                .isEqualTo("certbot reports success, but live/example.com has no valid certificate for"
                        + " www.example.com,example.com (2 in a row), the next attempt is in 10 min\n");
        assertThat(gaps()).singleElement().asInstanceOf(INTEGER).isBetween(60, 260);
    }

    /** An account of which certbot asks all that it wants, and two that stay for the next looks. */
    @Test
    void shouldSetOneAccountAsideAtALookThatTheCaDoesNotKnow() throws Exception {
        accounts("a", "b", "c");
        certbot("refuse 'acme.messages.Error: urn:ietf:params:acme:error:accountDoesNotExist :: Account not found'");

        run(START + 50);

        assertThat(orders()).hasSize(2);
        assertThat(orders().get(0)).contains(" --account a ");
        assertThat(orders().get(1)).contains(" --account b ");
        assertThat(shell.exists("questions")).isFalse();
        assertThat(shell.exists(ACCOUNTS + "a")).isFalse();
        assertThat(shell.exists(ACCOUNTS + "b")).isTrue();
        assertThat(shell.exists("srv/letsencrypt/staging/accounts/acme.example/directory/a"))
                .isTrue();
        assertThat(shell.bash("cat srv/letsencrypt/production/broken/*/account-a/regr.json")
                        .output())
                .isEqualTo("{}\n");
    }

    @Test
    void shouldSetAnAccountAsideOnlyWhenTheCaRefusesWhatIsAskedOfTheAccountAlone() throws Exception {
        accounts("a");
        certbot(
                "refuse 'acme.messages.Error: urn:ietf:params:acme:error:unauthorized :: Account is not valid, has status \"deactivated\"'");

        run(START + 50);

        assertThat(shell.read("questions"))
                .startsWith("show_account -n --account a ")
                .hasLineCount(1);
        assertThat(orders()).hasSize(2);
        assertThat(orders().get(1)).doesNotContain("--account");
        assertThat(shell.exists(ACCOUNTS + "a")).isFalse();
    }

    /** Limits, troubles of the CA and of the network, and refusals of something else. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "refuse 'acme.messages.Error: urn:ietf:params:acme:error:rateLimited :: too many certificates'",
                "refuse 'acme.messages.Error: urn:ietf:params:acme:error:serverInternal :: accountDoesNotExist, unauthorized'",
                "refuse 'requests.exceptions.ConnectionError: [Errno 113] No route to host'",
                "refuse 'certbot.errors.AuthorizationError: Some challenges have failed.'",
                "refuse 'certbot.errors.AuthorizationError: urn:ietf:params:acme:error:unauthorized'",
                "[[ $1 == certonly ]] && refuse 'acme.messages.Error: urn:ietf:params:acme:error:unauthorized :: CAA'",
                "[[ $1 == certonly ]] && refuse 'acme.messages.Error: urn:ietf:params:acme:error:malformed :: CSR'",
                "[[ $1 == certonly ]] && error=unauthorized || error=rateLimited; refuse \"acme.messages.Error: urn:ietf:params:acme:error:$error ::\"",
                "[[ $1 == certonly ]] && refuse 'acme.messages.Error: urn:ietf:params:acme:error:unauthorized ::' || exit 1"
            })
    void shouldKeepTheAccountWhereTheCaHasNothingAgainstIt(String refusal) throws Exception {
        accounts("a");
        certbot(refusal);

        run(START + 50);

        assertThat(orders()).hasSize(1);
        assertThat(shell.exists(ACCOUNTS + "a")).isTrue();
        assertThat(shell.exists("srv/letsencrypt/production/broken")).isFalse();
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

    private void accounts(String... ids) {
        for (String id : ids) {
            shell.write(ACCOUNTS + id + "/regr.json", "{}\n");
            shell.write("srv/letsencrypt/staging/accounts/acme.example/directory/" + id + "/regr.json", "{}\n");
        }
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
