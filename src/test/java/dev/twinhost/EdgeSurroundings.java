package dev.twinhost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A running edge with what is around it: a visitor, Docker's DNS, the edge of another host, the application and the
 * challenge's service, each in a network of its own that ends with this process, however it ends. Needs root and makes the tools' tree if it is not there.
 * The edge's files are rendered, and its certificate is taken over, by the code that does so on a host.
 */
final class EdgeSurroundings implements AutoCloseable {
    static final String VISITOR = "203.0.113.10";
    static final String EDGE = "203.0.113.80";
    static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Path SCRIPT = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/edge/surroundings.sh");
    private static final String LIVE = "srv/twinhost/letsencrypt/production/live/example.com/";
    private static final String SERVED = "var/lib/twinhost/tls/current/fullchain.pem";

    private final Shell host;
    private final Shell neighbour;
    private final Map<String, String> settings;
    private final Enclosure enclosure;
    private final Map<String, List<String>> names = new LinkedHashMap<>();
    private final Map<Place, Process> running = new LinkedHashMap<>();
    private String application = "application.py";

    enum Place {
        VISITOR,
        EDGE,
        NEIGHBOUR,
        APPLICATION,
        CHALLENGE;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a program left behind. */
    record Ended(int status, String output, String error) {}

    EdgeSurroundings(Path root, int lameDuckSeconds) throws IOException {
        this(root, Map.of("TWINHOST_LAME_DUCK", Integer.toString(lameDuckSeconds)));
    }

    /** With these settings, and variables of the edge's container, instead of the usual ones. */
    EdgeSurroundings(Path root, Map<String, String> others) throws IOException {
        settings = Release.settings();
        settings.put("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net");
        settings.putAll(others);
        host = Machine.host(new Shell(root));
        neighbour = Machine.host(new Shell(root.resolve("neighbour")));
        Release.of(host, Release.SHA, settings);
        succeed(host.render(Release.SHA, "stack/nginx"));
        issueCertificate();
        challenge("token", "the answer");

        enclosure = new Enclosure(SCRIPT, root);
        try {
            start();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** A new certificate on the shared storage, taken over by {@code twinhost certificate}; as PEM. */
    String issueCertificate() {
        return issueCertificate(90, "www.example.com", "example.com", "old.example.com", "example.net");
    }

    /** Likewise, for so many days and these names. */
    String issueCertificate(int days, String... names) {
        succeed(host.bash("mkdir -p " + LIVE
                + "\nopenssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=example.com -days "
                + days
                + " -addext subjectAltName=DNS:" + String.join(",DNS:", names)
                + " -keyout " + LIVE + "privkey.pem -out " + LIVE + "fullchain.pem"));
        succeed(Release.verb(host, "certificate"));
        return host.read(SERVED).strip();
    }

    /** Has the host of an edge do what {@code twinhost tickets} does, by this time of the shared storage's clock. */
    void shareTickets(Place edge, long seconds) {
        Shell shell = edge == Place.EDGE ? host : neighbour;
        Machine.storageClock(shell, seconds);
        succeed(shell.bash("[ \"$TWINHOST_ROOT\" = " + host.path("") + " ] || ln -sfn " + host.path("srv") + " srv"));
        succeed(shell.verb("tickets"));
    }

    /** Has the present one of the keys that the host of the edge has given it be broken, in a new folder. */
    void breakTickets() {
        succeed(host.bash("cd dev/shm/twinhost && cp -r \"$(readlink current)\" broken && truncate -s 79 broken/now"
                + " && ln -sfn broken current.new && mv -T current.new current"));
    }

    /** A file that certbot left for the CA. */
    void challenge(String name, String content) {
        host.write("srv/twinhost/acme/.well-known/acme-challenge/" + name, content);
    }

    /** A file for a visitor, who finds it below /mnt. */
    void giveVisitor(String name, String content) {
        host.write(name, content);
    }

    /** What a visitor has written into that file below /mnt so far. */
    String fromVisitor(String name) {
        return read(host.path(name));
    }

    /** A file of the folder nginx/, as a release would have brought it; for the next start or reload. */
    void put(String name, String content) {
        succeed(runWithInput(
                content,
                Place.EDGE,
                "sh",
                "-c",
                "mkdir -p \"/etc/nginx/$(dirname \"$1\")\" && cat >\"/etc/nginx/$1\" && chmod 644 \"/etc/nginx/$1\"",
                "sh",
                name));
    }

    /** What a file of the folder nginx/ says, settings filled in. */
    String rendered(String name) {
        return host.read("var/lib/twinhost/stack/nginx/" + name);
    }

    void remove(String name) {
        succeed(run(Place.EDGE, "rm", "/etc/nginx/" + name));
    }

    /** Has the running Nginx read its files again. */
    void reload() {
        succeed(run(Place.EDGE, "sh", "-c", "nginx -t -q && kill -HUP \"$(cat /run/nginx.pid)\""));
    }

    /** What a release asks of the files before Swarm hears of them, without a network, as in its container. */
    Ended check() {
        return run(
                entering(
                        "apart",
                        Place.EDGE,
                        "sh",
                        "/twinhost/check.sh",
                        "example.com",
                        "old.example.com",
                        "example.net"),
                "",
                LIMIT);
    }

    /** What {@code bin/verify} says of the site with these options, from where the visitor is; he trusts its certificate. */
    Ended verify(String... options) {
        return verifyWith(System.getenv("PATH"), options);
    }

    /** Likewise, with the tools that are found on this path. */
    Ended verifyWith(String path, String... options) {
        List<String> words = new ArrayList<>(List.of(
                "env",
                "PATH=" + path,
                "CURL_CA_BUNDLE=" + host.path(SERVED),
                Shell.CHECKOUT + "/bin/verify",
                "example.com",
                "--connect-to",
                EDGE));
        words.addAll(List.of(options));
        return run(entering("outside", Place.VISITOR, words.toArray(String[]::new)), "", LIMIT);
    }

    /** The folder nginx/ of the release as {@code change} leaves a copy of it, rendered by the code that does so on a host into a folder of this machine. */
    Path render(String name, Consumer<Path> change) {
        succeed(host.bash("cd opt/twinhost/releases && cp -r " + Release.SHA + " " + name));
        change.accept(host.path("opt/twinhost/releases/" + name));
        succeed(host.render(name, name));
        return host.path("var/lib/twinhost/" + name);
    }

    /** Copies a file or folder of this machine into a place. */
    void copy(Path from, Place place, String to) {
        succeed(runOfThisMachine(
                place,
                LIMIT,
                "cp",
                "-rL",
                "--no-preserve=ownership",
                from.toString(),
                host.path("roots/" + place.word() + to).toString()));
    }

    /** Writes a file in a place. */
    void write(Place place, String file, String content) {
        succeed(runWithInput(
                content,
                place,
                "sh",
                "-c",
                "mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\" && chmod 644 \"$1\"",
                "sh",
                file));
    }

    void startApplication() {
        startApplication(settings.get("TWINHOST_APP_PORT"));
    }

    void startApplication(String port) {
        daemon(Place.APPLICATION, "python3", "/srv/" + application, "10.0.1.2", port);
        await(Place.APPLICATION, "curl", "-fsS", "-o", "/dev/null", "http://10.0.1.2:" + port);
    }

    /** Has another script of src/test/resources/dev/twinhost/edge be the application from now on. */
    void changeApplication(String script) throws InterruptedException {
        stopApplication();
        application = script;
        startApplication();
    }

    void stopApplication() throws InterruptedException {
        signal(Place.APPLICATION, "KILL");
        awaitEnd(Place.APPLICATION);
    }

    /** Sends the main process of a place a signal. */
    void signal(Place place, String name) {
        Ended ended = run(place, "sh", "-c", "kill -" + name + " \"$(cat /run/main.pid)\"");
        if (ended.status() != 0) {
            throw new AssertionError(place + ": " + ended.error());
        }
    }

    /** The exit status of the main process of a place, which has to end within the limit. */
    int awaitEnd(Place place) throws InterruptedException {
        Process process = running.get(place);
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError(
                    place + " still ran after " + LIMIT.toSeconds() + " s: " + read(log(place.word())));
        }
        return process.exitValue();
    }

    boolean runs(Place place) {
        return running.get(place).isAlive();
    }

    /** What the edge has written so far, access log and errors. */
    List<String> edgeLog() {
        return log(Place.EDGE);
    }

    /** What the main process of a place has written so far. */
    List<String> log(Place place) {
        return read(log(place.word())).lines().toList();
    }

    /** The requests for this path that have reached the application, which is edge/origin.py: the address that each came to, its method, headers and body. */
    List<JsonNode> requests(String path) {
        List<JsonNode> requests = new ArrayList<>();
        for (String line : log(Place.APPLICATION)) {
            if (line.startsWith("{")) {
                JsonNode request = parse(line);
                if (request.at("/path").asText().split("\\?")[0].equals(path)) {
                    requests.add(request);
                }
            }
        }
        return requests;
    }

    /** Empties what main processes, and others beside them, have written so far. */
    void forgetLogs() {
        try (Stream<Path> logs = Files.list(host.path(""))) {
            for (Path log : (Iterable<Path>) logs.filter(file -> file.toString().endsWith(".log"))::iterator) {
                Files.writeString(log, "");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a program of the tools' tree in one of the places, to its end. */
    Ended run(Place place, String... words) {
        return runWithInput("", place, words);
    }

    Ended run(Place place, Duration limit, String... words) {
        return run(entering("enter", place, words), "", limit);
    }

    Ended runWithInput(String input, Place place, String... words) {
        return run(entering("enter", place, words), input, LIMIT);
    }

    /** Runs a program that this machine has, and the tools' tree has not, in the network of one of the places. */
    Ended runOfThisMachine(Place place, Duration limit, String... words) {
        return run(entering("reach", place, words), "", limit);
    }

    /** Likewise, but goes on until the caller ends it. */
    Process startOfThisMachine(Place place, String... words) throws IOException {
        return entering("reach", place, words)
                .redirectErrorStream(true)
                .redirectOutput(temporary().toFile())
                .start();
    }

    private Ended run(ProcessBuilder program, String input, Duration limit) {
        Path output = temporary();
        Path error = temporary();
        try {
            Path stdin = Files.writeString(temporary(), input);
            Process process = program.redirectInput(stdin.toFile())
                    .redirectOutput(output.toFile())
                    .redirectError(error.toFile())
                    .start();
            if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("Waited " + limit.toSeconds() + " s for " + String.join(" ", program.command())
                        + ", it said: " + read(output) + read(error));
            }
            return new Ended(process.exitValue(), read(output), read(error));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        enclosure.close();
    }

    /** Where the DNS has the application from now on. */
    void moveApplication(String... addresses) {
        dns("twinhost_app", addresses);
    }

    /** The DNS knows no application any more. */
    void forgetApplication() {
        dns("twinhost_app");
    }

    /** The edges that the DNS knows. */
    void nameEdges(String... addresses) {
        dns("twinhost_edge", addresses);
    }

    /** What Docker's DNS says of a service from now on, to either edge. */
    private void dns(String service, String... addresses) {
        names.put(service, List.of(addresses));
        StringBuilder file = new StringBuilder();
        names.forEach((name, all) -> all.forEach(
                address -> file.append(address).append(' ').append(name).append('\n')));
        for (Place edge : List.of(Place.EDGE, Place.NEIGHBOUR)) {
            succeed(runWithInput(
                    file.toString(),
                    edge,
                    "sh",
                    "-c",
                    "cat >/run/hosts && { [ ! -e /run/dnsmasq.pid ] || kill -HUP \"$(cat /run/dnsmasq.pid)\"; }"));
        }
    }

    /** What a machine that leaves service tells its edge. */
    void retire() {
        host.write("var/lib/twinhost/tls/retire", "");
    }

    /** Whether the edge of another host calls itself healthy. */
    void neighbour(boolean healthy) {
        succeed(run(Place.NEIGHBOUR, "sh", "-c", healthy ? "rm /run/early" : "touch /run/early"));
    }

    /** Whether an edge tells the balancer that it is healthy. */
    boolean healthy(Place edge) {
        return run(edge, "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz")
                        .status()
                == 0;
    }

    private void start() {
        moveApplication("10.0.1.2");
        dns("twinhost_challenge", "10.0.2.2");
        nameEdges("10.0.3.1", "10.0.3.2");
        startDns(Place.EDGE);
        startDns(Place.NEIGHBOUR);
        startApplication();
        daemon(Place.CHALLENGE, "nginx", "-g", "daemon off;");
        await(Place.CHALLENGE, "sh", "-c", "curl -sS http://10.0.2.2:8080/");
        for (Place edge : List.of(Place.NEIGHBOUR, Place.EDGE)) {
            startEdge(edge);
            Await.that("a healthy " + edge.word(), LIMIT, () -> healthy(edge));
        }
    }

    /** 127.0.0.11 is where Docker's DNS is inside a container; it knows the services by their names. */
    private void startDns(Place edge) {
        succeed(run(
                edge,
                "dnsmasq",
                "--conf-file=/dev/null",
                "--no-hosts",
                "--no-resolv",
                "--user=root",
                "--pid-file=/run/dnsmasq.pid",
                "--listen-address=127.0.0.11",
                "--bind-interfaces",
                "--addn-hosts=/run/hosts"));
    }

    void startEdge(Place edge) {
        daemon(edge, "/bin/sh", "/twinhost/entrypoint.sh");
        await(edge, "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/livez");
    }

    /** Has this be the main process of a place. */
    void daemon(Place place, String... words) {
        List<String> all = new ArrayList<>(List.of("sh", "-c", "echo $$ >/run/main.pid; exec \"$@\"", "sh"));
        all.addAll(Arrays.asList(words));
        try {
            running.put(
                    place,
                    entering("enter", place, all.toArray(String[]::new))
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(
                                    log(place.word()).toFile()))
                            .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a program beside the main process of a place, and waits until it is answered as {@code question} wants; it ends with the surroundings. */
    void beside(Place place, String name, BooleanSupplier question, String... words) {
        try {
            Process process = entering("enter", place, words)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log(name).toFile()))
                    .start();
            Await.that(name, LIMIT, () -> {
                if (!process.isAlive()) {
                    throw new AssertionError(name + " ended at once: " + read(log(name)));
                }
                return question.getAsBoolean();
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until a program that asks the place succeeds. */
    private void await(Place place, String... question) {
        Await.that(place.word(), LIMIT, () -> {
            if (!runs(place)) {
                throw new AssertionError(place.word() + " ended at once: " + read(log(place.word())));
            }
            return run(place, question).status() == 0;
        });
    }

    private ProcessBuilder entering(String how, Place place, String... words) {
        ProcessBuilder builder = enclosure.entering(
                how, Stream.concat(Stream.of(place.word()), Stream.of(words)).toList());
        builder.environment().put("TWINHOST_LAME_DUCK", settings.get("TWINHOST_LAME_DUCK"));
        builder.environment().put("TWINHOST_EDGE_FIRST", "120");
        builder.environment().put("TWINHOST_EDGE_LAST", settings.getOrDefault("TWINHOST_EDGE_LAST", "60"));
        builder.environment().put("TWINHOST_EDGE_PATIENCE", "420");
        return builder;
    }

    private static JsonNode parse(String line) {
        try {
            return new ObjectMapper().readTree(line);
        } catch (JsonProcessingException e) {
            throw new AssertionError("No JSON: " + line, e);
        }
    }

    private Path log(String name) {
        return host.path(name + ".log");
    }

    private Path temporary() {
        try {
            return Files.createTempFile(host.path(""), "program-", ".txt");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As text; frames of HTTP/2 among it are none. */
    private static String read(Path file) {
        try {
            return Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void succeed(Ended ended) {
        if (ended.status() != 0) {
            throw new AssertionError(ended.error());
        }
    }

    private static void succeed(Shell.Result result) {
        if (result.status() != 0) {
            throw new AssertionError(result.output());
        }
    }
}
