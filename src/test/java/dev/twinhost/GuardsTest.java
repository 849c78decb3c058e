package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bash ignores {@code set -e} in a function that is called in a condition. So every function whose answer allows something is
 * asked here with each way in which what it reads, or what it reads with, can be broken: its answer has to be no.
 */
@Needs({"jq", "openssl"})
class GuardsTest {
    private static final String RECORD = "run/twinhost/record";
    private static final String INFO = "engine/GET_info";
    private static final String NODES = "engine/GET_nodes";
    private static final String KEPT = "srv/twinhost/swarm/generations/1/releases/" + Release.SHA + ".json";
    private static final String MANAGER = "\"instance\":\"%s\",\"counter\":7,\"leader\":true,\"address\":\"10.0.0.9\"";
    private static final String WATCHED =
            "{\"generation\":1,\"founder\":\"i-0a\",\"cluster\":\"cluster-a\",\"release\":\"\","
                    + "\"rescues\":0,\"watched\":100,\"read\":990,\"managers\":[{" + MANAGER.formatted("i-0a")
                    + ",\"still\":5,\"led\":5},{"
                    + MANAGER.formatted("i-0b") + ",\"still\":90,\"led\":90}]}";

    /** Asks once with everything whole, then with each breakage; prints a line for each. */
    private static final String ASK = """
            ask() {
              hash -r
              if (set +e; guard) >/dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi
            }
            ask whole
            cp "$input" whole
            broken() {
              printf '%s' "$2" >"$input"
              ask "$1"
              cp whole "$input"
            }
            broken empty ''
            broken null null
            broken truncated "$(head -c "$(($(stat -c %s whole) * 2 / 3))" whole)"
            for value in '{}' '[null]' 7 '"text"' 'no JSON'; do
              broken "$value" "$value"
            done
            mv "$input" away
            ask missing
            mv away "$input"
            for tool in $tools; do
              [[ ! -e stand-ins/$tool ]] || mv stand-ins/$tool kept
              printf '#!/bin/bash\\nkill -KILL $$\\n' >stand-ins/$tool
              chmod +x stand-ins/$tool
              ask "$tool killed"
              printf '#!/bin/bash\\nexit 0\\n' >stand-ins/$tool
              ask "$tool silent"
              rm stand-ins/$tool
              [[ ! -e kept ]] || mv kept stand-ins/$tool
            done
            """;

    @TempDir
    Path root;

    private Shell shell;

    /** A guard: the script that holds it, how it is called, what it reads and with what. */
    record Guard(String script, String call, String input, String tools) {
        @Override
        public String toString() {
            return script + ": " + call + " reads " + input;
        }
    }

    static Stream<Guard> guards() {
        return Stream.of(
                new Guard("lib", "may_act", RECORD, "jq"),
                new Guard("lib", "swarm_state", INFO, "jq curl"),
                new Guard("lib", "swarm_cluster", INFO, "jq curl"),
                new Guard("lib", "own_node", INFO, "jq curl"),
                new Guard("lib", "demoted", "engine/demoted", "jq curl"),
                new Guard("lib", "nothing_runs", "engine/GET_containers_json", "jq curl"),
                new Guard("lib", "distribution shop:1", "engine/GET_distribution_shop:1_json", "jq curl"),
                new Guard("lib", "with_secret registry.example.org arn:aws:x:eu-west-1", "secret.json", "jq aws"),
                new Guard("lib", "app_runs 2", "engine/GET_tasks", "jq curl"),
                new Guard("lib", "watch_record \"$(cat watched)\"", "watched", "jq"),
                new Guard("lib", "target_health \"$RELEASE\"", "health", "jq aws"),
                new Guard("lib", "target_health \"$RELEASE\"", "release/release.json", "jq aws"),
                new Guard("lib", "auto_scaling", "groups", "jq aws"),
                new Guard("lib", "converged_release", KEPT, "jq"),
                new Guard("lib", "converged_release", "release/release.json", "jq"),
                new Guard("heal", "leads", "engine/GET_nodes_node-1", "jq curl"),
                new Guard("heal", "leads", INFO, "jq curl"),
                new Guard("heal", "stands_in \"$(cat watched)\"", "watched", "jq curl"),
                new Guard("heal", "stands_in \"$(cat watched)\"", NODES, "jq curl"),
                new Guard("heal", "no_release_runs", "engine/GET_configs", "jq curl"),
                new Guard("heal", "may_go \"$(cat watched)\"", "health", "jq aws"),
                new Guard("join", "[ \"$(verdict \"$(cat claimable)\" 0)\" = 'claim 2' ]", "claimable", "jq"),
                new Guard("join", "note_founding 1", "engine/GET_swarm", "jq curl"),
                new Guard("bootstrap", "complete", INFO, "jq curl"),
                new Guard("bootstrap", "complete", NODES, "jq curl"),
                new Guard("bootstrap", "complete", "engine/GET_tasks", "jq curl"),
                new Guard("bootstrap", "complete", "health", "jq aws"),
                new Guard("drain", "ending", "lifecycle", ""),
                new Guard("certificate", "belongs pair", "pair/privkey.pem", "openssl"),
                new Guard("certificate", "belongs pair", "pair/fullchain.pem", "openssl"),
                new Guard("certificate", "[ \"$(refusal)\" = ok ]", RECORD, "jq"),
                new Guard("certificate", "[ \"$(refusal)\" = ok ]", "health", "jq aws getent grep sort"),
                new Guard("tickets", "is_key key", "key", "stat tr wc"),
                new Guard("metrics", "trusted pair/fullchain.pem", "pair/fullchain.pem", "openssl"));
    }

    @BeforeEach
    void createLeaderThatMayDoAll() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
        EngineStandIn engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer("GET", "/containers/json", "[]")
                .answer("GET", "/configs", "[]")
                .command("login", "cat >/dev/null")
                .answer("GET", "/swarm", "{\"JoinTokens\":{\"Manager\":\"token\"}}");
        new ClusterStandIn(shell, engine).leader("n-b");
        engine.answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{\"Leader\":true}}");
        engine.answer("GET", "/tasks", "[" + task("a") + "," + task("b") + "]");
        shell.write("engine/demoted", EngineStandIn.info("inactive", ""));
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.write(RECORD, WATCHED);
        shell.write("watched", WATCHED);
        shell.write("claimable", WATCHED.replace("\"led\":5", "\"led\":95"));
        engine.answer(
                "GET",
                "/distribution/shop:1/json",
                "{\"Descriptor\":{\"digest\":\"sha256:" + "0".repeat(64) + "\"},\"Platforms\":null}");
        shell.write("secret.json", "{\"SecretString\":\"{\\\"username\\\":\\\"a\\\",\\\"password\\\":\\\"b\\\"}\"}");
        shell.write("lifecycle", "Terminated\n");
        shell.write("key", "k".repeat(80));
        shell.write("opt/twinhost/launcher.sh", "metadata() {\n  cat lifecycle\n}\n");
        shell.verb("record", "claim", "1", Machine.INSTANCE, Machine.ADDRESS);
        shell.bash("bash " + Shell.CHECKOUT + "/docker/host/record.sh converged 1 " + Release.SHA + " <<<'"
                + Release.JSON + "'");
        shell.standIn("getent", "[[ $1 == hosts ]] || echo \"198.51.100.80 STREAM $2\"");
        shell.bash("ln -s opt/twinhost/releases/" + Release.SHA + " release && ln -s releases/" + Release.SHA
                + " opt/twinhost/current");
        shell.bash(
                "mkdir pair && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=x"
                        + " -addext subjectAltName=DNS:www.example.com,DNS:example.com -keyout pair/privkey.pem -out pair/fullchain.pem");
        shell.bash("cp pair/fullchain.pem trusted.pem");
        shell.with("SSL_CERT_FILE", root + "/trusted.pem");
    }

    @ParameterizedTest
    @MethodSource("guards")
    void shouldSayNoWhereACheckBreaks(Guard guard) {
        List<String> answers = ask(guard);

        assertThat(answers).first().isEqualTo("whole: yes");
        assertThat(answers).hasSizeGreaterThan(8);
        assertThat(answers.stream().skip(1)).allMatch(answer -> answer.endsWith(": no"), "a check that breaks is a no");
    }

    @Test
    void shouldRecordNoClusterThatHasNoId() {
        shell.write("var/lib/twinhost/cluster-id", "");

        assertThat(functions("join", "note_founding 1")).isEqualTo(new Shell.Result(1, ""));
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/cluster-id")).isFalse();
    }

    @Test
    void shouldTrustNothingWhereTheSiteHasNoNames() {
        assertThat(functions("metrics", "TWINHOST_DOMAIN=; site_names() { return 1; }; trusted trusted.pem"))
                .isEqualTo(new Shell.Result(1, ""));
    }

    @Test
    void shouldJudgeNobodyByTheTargetsOfOneGroupAlone() {
        shell.standIn("aws", "[[ $* != *https* ]] || exit 255\ncat health");

        assertThat(functions("heal", "may_go \"$(cat watched)\"").status()).isEqualTo(1);
    }

    @Test
    void shouldTakeAHalfReadRecordForNoRecord() {
        shell.write(RECORD, "{\"cluster\":\"cluster-a\",\"rea");

        assertThat(functions("lib", "may_act"))
                .isEqualTo(new Shell.Result(1, "what was read of the cluster record cannot be understood\n"));
    }

    private List<String> ask(Guard guard) {
        // what a demotion leaves is another answer of the same call
        String before = guard.input().equals("engine/demoted")
                ? "rm engine/GET_info && ln -s demoted engine/GET_info && sed -i 's/:true/:false/' engine/demoted\n"
                : "";
        return functions(
                        guard.script(),
                        before + "input=" + guard.input() + "\ntools='" + guard.tools() + "'\nguard() {\n  "
                                + guard.call() + "\n}\n" + ASK)
                .output()
                .lines()
                .toList();
    }

    /** Runs {@code bash} with the functions of a script, but without what it does with them. */
    private Shell.Result functions(String script, String bash) {
        String folder = Release.FOLDER_OF_VERBS.formatted(root);
        return shell.bash(". " + folder + "/lib.sh\nload_machine\nload_settings \"$RELEASE\"\n"
                + "eval \"$(sed -n '/^[a-z_]*() {$/,/^}$/p' " + folder + "/" + script + ".sh)\"\n"
                + "mapfile -t names < <(site_names)\ntrap - ERR\ncd \"$TWINHOST_ROOT\"\n" + bash);
    }

    private static String task(String id) {
        return "{\"ID\":\"" + id
                + "\",\"NodeID\":\"node-1\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}}";
    }
}
