package dev.twinhost;

import dev.twinhost.bench.Comparison;
import dev.twinhost.bench.Figures;
import dev.twinhost.bench.Goal;
import dev.twinhost.bench.H2load;
import dev.twinhost.bench.Rounds;
import dev.twinhost.bench.Table;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The edge, the same Nginx as its packager ships it, Caddy and HAProxy, side by side in one interleaved run: the same upstream, certificate,
 * client and processors. Needs root, and makes the trees of the tools and of the rivals if they are not there.
 *
 * <p>All of them listen all the time in the network of the edge; one at a time is asked, from the network of the visitor, by h2load of the
 * tools' tree. The upstream is a second Nginx with one worker and files, in a network of its own.
 */
final class EdgeBench {
    private static final Path FILES = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/bench");
    private static final Path PACKAGED =
            Shell.CHECKOUT.resolve("src/rehearsal/machine/files/tools/etc/nginx/nginx.conf");
    private static final String EDGE = "edge";
    private static final String NGINX = "nginx";
    private static final String CADDY = "Caddy";
    private static final String HAPROXY = "HAProxy";
    private static final String WORKERS = "the servers have a worker for each, upstream and client one.\n";
    private static final Duration SPARE = Duration.ofSeconds(60);

    /** As browsers offer them, the first with a key: https://chromestatus.com/feature/5257822742249472 */
    private static final String GROUPS = "X25519MLKEM768:X25519:P-256:P-384";

    /** Fewer than bare Nginx queues (511), or the kernel drops some and the client waits a second. */
    private static final int NEW_CONNECTIONS = 250;

    /** So many times {@link #NEW_CONNECTIONS}, for each second of a measurement. */
    private static final int BATCHES = 2;

    /** So that each of them sends less than every 50 ms: one that is held up for longer stays late, by its timers. */
    private static final int TAIL_CLIENTS = 400;

    private static final int SMALL = 1024;
    private static final int LARGE = 102_400;
    private static final int TAIL_SKIPPED_SECONDS = 2;

    /** What is measured. */
    enum Row {
        SMALL("1 KB, kept connections, HTTP/1.1, requests/s"),
        LARGE("100 KB, kept connections, HTTP/1.1, requests/s"),
        HTTP2("1 KB, kept connections, HTTP/2, requests/s"),
        CONNECTIONS("new TLS connections/s"),
        CACHE("1 KB that may be kept, requests/s: the edge answers from its cache, bare Nginx passes on"),
        TAIL("at half of bare Nginx's requests/s, milliseconds from when it was due");

        private final String words;

        Row(String words) {
            this.words = words;
        }

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final int rounds;
    private final int seconds;
    private final Set<Row> rows;
    private final Consumer<String> out;
    private final Figures figures = new Figures();

    /** Ports of what is measured, the edge first. */
    private final Map<String, Integer> ports = new LinkedHashMap<>(Map.of(EDGE, 8443));

    /** What has been run, once for each row. */
    private final Map<String, String> commands = new LinkedHashMap<>();

    /** @param seconds of each measurement */
    EdgeBench(int rounds, int seconds, Collection<Row> rows, Consumer<String> out) {
        this.rounds = rounds;
        this.seconds = seconds;
        this.rows = new TreeSet<>(rows);
        this.out = out;
    }

    /** @param variants changed copies of the folder nginx/, by name: what changes a release's folder */
    void run(Path root, Map<String, Consumer<Path>> variants, boolean rivals) throws IOException, InterruptedException {
        try (EdgeSurroundings edge = new EdgeSurroundings(root, 16)) {
            serve(edge);
            startNginx(edge);
            if (rivals) {
                startHaproxy(edge);
                startCaddy(edge);
            }
            for (Map.Entry<String, Consumer<Path>> variant : variants.entrySet()) {
                startVariant(edge, variant.getKey(), variant.getValue());
            }
            out.accept(versions(edge));
            out.accept(upstream(edge));
            for (String name : ports.keySet()) {
                checkAnswer(edge, name);
            }
            List<Row> loads = rows.stream().filter(row -> row != Row.TAIL).toList();
            for (int round = 0; round < rounds; round++) {
                for (Row row : loads) {
                    measure(edge, row, round, 0);
                }
            }
            if (rows.contains(Row.TAIL)) {
                double rate = half();
                for (int round = 0; round < rounds; round++) {
                    measure(edge, Row.TAIL, round, rate);
                }
            }
        }
        out.accept(Table.of(figures, comparisons(variants.keySet())));
        out.accept("What was run, one after the other, each round in another order; PORT is " + ports
                + ". The files of all but the edge are in " + Shell.CHECKOUT.relativize(FILES) + ".");
        commands.forEach((words, command) -> out.accept(words + "\n  " + command));
    }

    /** All goals: section "Speed" of the design. */
    private static List<Comparison> comparisons(Collection<String> variants) {
        List<Comparison> comparisons = new ArrayList<>(List.of(
                Comparison.of(Row.SMALL.words, EDGE, NGINX).with(Goal.atLeast(0.95)),
                Comparison.of(Row.SMALL.words, EDGE, HAPROXY).with(Goal.atLeast(1)),
                Comparison.of(Row.LARGE.words, EDGE, NGINX).with(Goal.atLeast(0.95)),
                Comparison.of(Row.HTTP2.words, EDGE, NGINX).with(Goal.atLeast(0.95)),
                Comparison.of(Row.CONNECTIONS.words, EDGE, NGINX, CADDY, HAPROXY)
                        .with(Goal.atLeast(1)),
                Comparison.of(Row.CACHE.words, EDGE, NGINX).with(Goal.atLeast(1.2)),
                Comparison.of(percentile(50), EDGE, NGINX),
                Comparison.of(percentile(99), EDGE, NGINX).with(Goal.atMost(1.2)),
                Comparison.of(percentile(99.9), EDGE, NGINX)));
        for (Row row : Row.values()) {
            comparisons.add(Comparison.of(processorTime(row), EDGE, NGINX));
        }
        for (String variant : variants) {
            for (Row row : Row.values()) {
                comparisons.add(Comparison.of(row.words, variant, EDGE));
                comparisons.add(Comparison.of(processorTime(row), variant, EDGE));
            }
            comparisons.add(Comparison.of(percentile(99), variant, EDGE));
        }
        return comparisons;
    }

    private static String percentile(double percent) {
        return Row.TAIL.words + ", " + String.valueOf(percent).replace(".0", "") + "th percentile";
    }

    /** Each once, one after the other. */
    private void measure(EdgeSurroundings edge, Row row, int round, double rate) {
        List<String> measured = ports.keySet().stream()
                .filter(name -> row != Row.CACHE || !Set.of(CADDY, HAPROXY).contains(name))
                .toList();
        for (String name : Rounds.order(measured, round)) {
            switch (row) {
                case SMALL -> load(edge, row, name, "/1k", "--h1", "--clients=64");
                case LARGE -> load(edge, row, name, "/100k", "--h1", "--clients=16");
                case HTTP2 -> load(edge, row, name, "/1k", "--clients=32", "--max-concurrent-streams=4");
                case CACHE -> load(edge, row, name, "/kept/1k", "--h1", "--clients=64");
                case CONNECTIONS -> connect(edge, row, name);
                case TAIL -> tail(edge, row, name, rate);
            }
        }
        out.accept("round " + (round + 1) + " of " + rounds + ": " + row.option());
    }

    /** Half of what bare Nginx does at full load, in whole requests a second for each client. */
    private double half() {
        if (!figures.has(Row.SMALL.words, NGINX)) {
            throw new Failure("The row tail needs the row small in the same run");
        }
        return Math.max(1, Math.floor(figures.of(Row.SMALL.words, NGINX).median() / 2 / TAIL_CLIENTS)) * TAIL_CLIENTS;
    }

    private void load(EdgeSurroundings edge, Row row, String name, String path, String... options) {
        List<String> words = new ArrayList<>(List.of(options));
        words.addAll(List.of("--duration=" + seconds, "--warm-up-time=1"));
        double before = processorSeconds(edge, name);
        String printed = h2load(edge, row, name, path, words);
        double taken = processorSeconds(edge, name) - before;
        figures.add(row.words, name, H2load.requestsPerSecond(printed));
        figures.add(
                processorTime(row),
                name,
                taken * 1e6 / H2load.bytes(printed) * (path.endsWith("100k") ? LARGE : SMALL));
    }

    /** As many at once as are always on the way; a client of h2load resumes no session. */
    private void connect(EdgeSurroundings edge, Row row, String name) {
        double taken = 0;
        int batches = BATCHES * seconds;
        for (int batch = 0; batch < batches; batch++) {
            String printed = h2load(
                    edge,
                    row,
                    name,
                    "/1k",
                    List.of("--h1", "--clients=" + NEW_CONNECTIONS, "--requests=" + NEW_CONNECTIONS));
            taken += NEW_CONNECTIONS / H2load.requestsPerSecond(printed);
        }
        figures.add(row.words, name, batches * NEW_CONNECTIONS / taken);
    }

    /** What all processes and threads of a server have spent on a processor so far; what else runs on the machine hardly changes that. */
    private static double processorSeconds(EdgeSurroundings edge, String name) {
        EdgeSurroundings.Ended ended = edge.run(
                EdgeSurroundings.Place.EDGE,
                "sh",
                "-c",
                // nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html
                "read -r main <\"$1\"; for process in $main $(cat /proc/$main/task/$main/children); do cat /proc/$process/task/*/schedstat; done | awk '{sum += $1} END {print sum / 1e9}'",
                "sh",
                name.equals(EDGE) ? "/run/nginx.pid" : pidFile(name));
        succeed(ended);
        return Double.parseDouble(ended.output().strip());
    }

    private static String pidFile(String name) {
        return "/run/bench-" + name + ".pid";
    }

    private static String processorTime(Row row) {
        return "the server's processor time for that, microseconds each: " + row.option();
    }

    private void tail(EdgeSurroundings edge, Row row, String name, double rate) {
        int requests = (int) (rate * (2 * seconds + TAIL_SKIPPED_SECONDS));
        h2load(
                edge,
                row,
                name,
                "/1k",
                List.of(
                        "--h1",
                        "--clients=" + TAIL_CLIENTS,
                        "--rps=" + (int) (rate / TAIL_CLIENTS),
                        "--requests=" + requests,
                        "--log-file=/run/requests"));
        List<String> log = edge.run(EdgeSurroundings.Place.VISITOR, "sh", "-c", "cat /run/requests && rm /run/requests")
                .output()
                .lines()
                .toList();
        H2load.Tail tail = H2load.due(
                log,
                requests,
                TAIL_CLIENTS,
                rate,
                Duration.ofSeconds(TAIL_SKIPPED_SECONDS).toNanos() / 1000);
        for (double percent : new double[] {50, 99, 99.9}) {
            figures.add(percentile(percent), name, H2load.Tail.percentile(tail.latencies(), percent));
        }
        figures.add("of these, from when it was sent, 99th percentile", name, H2load.Tail.percentile(tail.taken(), 99));
        figures.add("of these, how late it was sent, 99th percentile", name, H2load.Tail.percentile(tail.late(), 99));
    }

    private String h2load(EdgeSurroundings edge, Row row, String name, String path, List<String> options) {
        List<String> words = new ArrayList<>(List.of("h2load", "--groups=" + GROUPS));
        words.addAll(options);
        words.addAll(List.of(
                "--connect-to=" + EdgeSurroundings.EDGE + ":" + ports.get(name), "https://www.example.com" + path));
        commands.putIfAbsent(row.words, String.join(" ", words).replace(":" + ports.get(name) + " ", ":PORT "));
        EdgeSurroundings.Ended ended = edge.run(
                EdgeSurroundings.Place.VISITOR,
                Duration.ofSeconds(4L * seconds).plus(SPARE),
                words.toArray(String[]::new));
        if (ended.status() != 0) {
            throw new Failure(name + ": " + String.join(" ", words) + "\n" + ended.output() + ended.error());
        }
        edge.forgetLogs();
        try {
            H2load.requestsPerSecond(ended.output());
        } catch (Failure e) {
            throw new Failure(name + ": " + String.join(" ", words) + "\n" + e.getMessage(), e);
        }
        return ended.output();
    }

    /** That each one passes on the same, so that no error page is measured. */
    private void checkAnswer(EdgeSurroundings edge, String name) {
        for (String version : List.of("--http1.1", "--http2")) {
            EdgeSurroundings.Ended ended = edge.run(
                    EdgeSurroundings.Place.VISITOR,
                    "curl",
                    "-sSk",
                    version,
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code} %{size_download} %{http_version}",
                    "--connect-to",
                    "::" + EdgeSurroundings.EDGE + ":" + ports.get(name),
                    "https://www.example.com/100k");
            String wanted = "200 102400 " + (version.equals("--http2") ? "2" : "1.1");
            if (!ended.output().equals(wanted)) {
                throw new Failure(name + " answers " + ended.output() + ended.error() + " instead of " + wanted);
            }
        }
    }

    private void serve(EdgeSurroundings edge) throws InterruptedException {
        edge.stopApplication();
        EdgeSurroundings.Place place = EdgeSurroundings.Place.APPLICATION;
        edge.copy(FILES.resolve("upstream.conf"), place, "/srv/");
        succeed(
                edge.run(
                        place,
                        "sh",
                        "-c",
                        "mkdir /srv/files && cd /srv/files && for size in 1 100; do yes 0123456789abcdefghijklmnopqrst | head -c $((size * 1024)) > ${size}k; done"));
        edge.daemon(place, "nginx", "-c", "/srv/upstream.conf", "-g", "daemon off;");
        Await.that("the upstream", EdgeSurroundings.LIMIT, () -> answers(edge, place, "http://10.0.1.2/1k"));
    }

    private void startNginx(EdgeSurroundings edge) throws IOException {
        String packaged = Files.readString(PACKAGED)
                .replace("/etc/nginx/conf.d/*.conf", "/srv/nginx/site.conf")
                .replace("/run/nginx.pid", "/run/bare.pid");
        edge.write(EdgeSurroundings.Place.EDGE, "/srv/nginx/nginx.conf", packaged);
        edge.write(EdgeSurroundings.Place.EDGE, "/srv/nginx/site.conf", Files.readString(FILES.resolve("nginx.conf")));
        start(edge, NGINX, 9443, "nginx", "-c", "/srv/nginx/nginx.conf", "-g", "daemon off;");
    }

    private void startHaproxy(EdgeSurroundings edge) throws IOException {
        edge.write(EdgeSurroundings.Place.EDGE, "/srv/haproxy.cfg", Files.readString(FILES.resolve("haproxy.cfg")));
        succeed(edge.run(
                EdgeSurroundings.Place.EDGE,
                "sh",
                "-c",
                "cat /etc/nginx/tls/current/fullchain.pem /etc/nginx/tls/current/privkey.pem > /srv/haproxy.pem"));
        start(edge, HAPROXY, 9444, "haproxy", "-db", "-f", "/srv/haproxy.cfg");
    }

    private void startCaddy(EdgeSurroundings edge) throws IOException {
        edge.copy(RootFileSystems.rivals().resolve("usr/bin/caddy"), EdgeSurroundings.Place.EDGE, "/srv/");
        edge.write(EdgeSurroundings.Place.EDGE, "/srv/Caddyfile", Files.readString(FILES.resolve("Caddyfile")));
        start(edge, CADDY, 9445, "env", "HOME=/srv", "/srv/caddy", "run", "--config", "/srv/Caddyfile");
    }

    /** A second edge, with other ports: it stands beside the first one. */
    private void startVariant(EdgeSurroundings edge, String name, Consumer<Path> change) {
        int number = ports.size();
        int shift = 1000 * number;
        String folder = "/srv/variant-" + number;
        Path rendered = edge.render("variant-" + number, change);
        try (Stream<Path> files = Files.walk(rendered)) {
            for (Path file :
                    (Iterable<Path>) files.filter(path -> path.toString().endsWith(".conf"))::iterator) {
                Files.writeString(
                        file,
                        Files.readString(file)
                                .replaceAll("\\b8080\\b(?! resolve)", Integer.toString(8080 + shift))
                                .replaceAll("\\b8081\\b", Integer.toString(8081 + shift))
                                .replaceAll("\\b8443\\b", Integer.toString(8443 + shift))
                                .replace("/run/nginx.pid", "/run/variant-" + number + ".pid")
                                .replace("/var/cache/nginx/my_cache", "/var/cache/nginx/variant-" + number));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        edge.copy(rendered, EdgeSurroundings.Place.EDGE, folder);
        succeed(edge.run(
                EdgeSurroundings.Place.EDGE,
                "sh",
                "-c",
                "cp /etc/nginx/mime.types " + folder + "; ln -s /etc/nginx/tls " + folder + "/tls"));
        start(edge, name, 8443 + shift, "nginx", "-c", folder + "/nginx.conf", "-g", "daemon off;");
    }

    private void start(EdgeSurroundings edge, String name, int port, String... words) {
        ports.put(name, port);
        edge.beside(
                EdgeSurroundings.Place.EDGE,
                name,
                () -> answers(
                        edge,
                        EdgeSurroundings.Place.VISITOR,
                        "--connect-to",
                        "::" + EdgeSurroundings.EDGE + ":" + port,
                        "https://www.example.com/1k"),
                Stream.concat(Stream.of("sh", "-c", "echo $$ >\"$0\"; exec \"$@\"", pidFile(name)), Stream.of(words))
                        .toArray(String[]::new));
    }

    private static boolean answers(EdgeSurroundings edge, EdgeSurroundings.Place from, String... words) {
        String[] curl = Stream.concat(Stream.of("curl", "-fsSk", "-o", "/dev/null"), Stream.of(words))
                .toArray(String[]::new);
        return edge.run(from, curl).status() == 0;
    }

    private String versions(EdgeSurroundings edge) {
        StringBuilder text = new StringBuilder();
        EdgeSurroundings.Ended ended = edge.run(
                EdgeSurroundings.Place.EDGE,
                "sh",
                "-c",
                "nginx -v 2>&1; haproxy -v | head -n 1; ! [ -e /srv/caddy ] || echo \"Caddy $(/srv/caddy version)\"; h2load --version; openssl version; echo \"Linux $(uname -r), $(nproc) processors, load average $(cut -d ' ' -f 1 /proc/loadavg) before: a figure to believe takes 0\"");
        succeed(ended);
        return text.append(ended.output())
                .append("Nothing is pinned to a processor: ")
                .append(WORKERS)
                .toString();
    }

    /** What the upstream does alone: far more than through whatever is measured, or it would hold that up. */
    private static String upstream(EdgeSurroundings edge) {
        EdgeSurroundings.Ended ended = edge.run(
                EdgeSurroundings.Place.EDGE,
                "h2load",
                "--h1",
                "--clients=64",
                "--duration=1",
                "--warm-up-time=1",
                "http://10.0.1.2/1k");
        succeed(ended);
        return String.format(
                Locale.ROOT,
                "The upstream alone answers %,.0f requests/s of 1 KB, without TLS.%n",
                H2load.requestsPerSecond(ended.output()));
    }

    private static void succeed(EdgeSurroundings.Ended ended) {
        if (ended.status() != 0) {
            throw new Failure(ended.output() + ended.error());
        }
    }
}
