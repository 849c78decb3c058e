package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients who take more than their share get of a host, its connections and its disk, and what is left for everybody else. */
@Tag("root")
class EdgeBoundsTest {
    private static final String WWW = "https://www.example.com";
    private static final String HOG = EdgeSurroundings.VISITOR;
    private static final List<String> OTHERS =
            IntStream.rangeClosed(11, 21).mapToObj(host -> "203.0.113." + host).toList();
    private static final String CLIENT = "holding.py";
    private static final int LEAST_REQUESTS = 128;
    private static final int MIB = 1024 * 1024;

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    private final List<CompletableFuture<Ended>> holding = new ArrayList<>();

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(
                root,
                Map.of("TWINHOST_LAME_DUCK", "4", "TWINHOST_REQUESTS_PER_ADDRESS", Integer.toString(LEAST_REQUESTS)));
        visitor = new Visitor(surroundings);
        surroundings.giveVisitor(
                CLIENT,
                Files.readString(Shell.CHECKOUT
                        .resolve("src/test/resources/dev/twinhost/edge")
                        .resolve(CLIENT)));
        for (String address : OTHERS) {
            succeed(surroundings.runOfThisMachine(
                    Place.VISITOR, EdgeSurroundings.LIMIT, "ip", "address", "add", address + "/24", "dev", "to-edge"));
        }
        serveLargeFiles();
    }

    @AfterEach
    void release() {
        surroundings.giveVisitor("release", "");
        holding.forEach(client -> assertThat(client.join().status()).isZero());
        root.resolve("release").toFile().delete();
    }

    /**
     * The beginnings of requests, which never end: https://github.com/mikesvoboda/nemotron-v3-home-security-intelligence/issues/5705,
     * https://github.com/caddyserver/caddy/issues/4235, https://github.com/kubernetes/ingress-nginx/issues/1237
     */
    @Test
    void shouldServeOthersWhileOneAddressHoldsThousandsOfHalfOpenRequests() {
        String held = hold("heads", HOG, 8600);
        assertThat(held).isEqualTo("8600 open\n");

        for (String other : OTHERS) {
            assertThat(statusFor(other, WWW + "/")).isEqualTo(200);
            assertThat(statusFor(other, "http://" + EdgeSurroundings.EDGE + "/healthz"))
                    .isEqualTo(200);
        }
        assertThat(statusFor(HOG, WWW + "/")).isEqualTo(200);
        Await.that("their end", EdgeSurroundings.LIMIT, () -> said("heads", HOG).contains("closed after"));
        assertThat(said("heads", HOG)).matches("8600 open\nclosed after (9|1\\d)\n");
    }

    /** A limit that a single page meets is as bad: https://github.com/dev-sec/chef-nginx-hardening/issues/11 */
    @Test
    void shouldAnswerSoManyRequestsOfOneAddressAtOnceButTheBalancersCheckAndTheChallengeAlways() {
        assertThat(hold("bodies", HOG, 150, "10")).isEqualTo(LEAST_REQUESTS + " held 22 429\n");

        assertThat(statusFor(HOG, WWW + "/")).isEqualTo(429);
        assertThat(statusFor(HOG, WWW + "/", "--http2")).isEqualTo(429);
        assertThat(statusFor(HOG, "http://" + EdgeSurroundings.EDGE + "/healthz"))
                .isEqualTo(200);
        assertThat(statusFor(HOG, "http://" + EdgeSurroundings.EDGE + "/livez")).isEqualTo(200);
        assertThat(statusFor(HOG, "http://www.example.com/.well-known/acme-challenge/token"))
                .isEqualTo(200);
        assertThat(statusFor(HOG, "http://example.com/")).isEqualTo(301);
        assertThat(statusFor(OTHERS.get(0), WWW + "/")).isEqualTo(200);
    }

    /** Uploads of almost 100 MB, the last byte held back: three hundred would fill the disk. */
    @Test
    void shouldTakeSoManyLargeUploadsAtOnce() {
        List<String> lengths = List.of("99000000", "chunked", "10000000");
        for (int i = 0; i < 10; i++) {
            assertThat(hold("bodies", OTHERS.get(i), 7, lengths.get(i % 3))).isEqualTo("6 held 1 429\n");
        }
        assertThat(hold("bodies", HOG, 2, "99000000")).isEqualTo("2 429\n");

        assertThat(statusFor(HOG, WWW + "/", "-d", "order")).isEqualTo(200);
        assertThat(statusFor(OTHERS.get(0), WWW + "/", "-d", "order")).isEqualTo(200);
        assertThat(statusFor(OTHERS.get(0), WWW + "/", "--http1.1", "-X", "POST"))
                .isEqualTo(200);
    }

    /** Over HTTP/2 a body needs no length, and no method forbids one: a hundred thousand of them would fill the disk. */
    @ParameterizedTest
    @CsvSource({"GET,'',200", "GET,session=1,200", "DELETE,'',501", "OPTIONS,'',501"})
    void shouldTakeOnlyASmallBodyOfWhichNothingTellsBeforehand(String method, String cookie, int application) {
        surroundings.giveVisitor("unexpected", "x".repeat(3_000_000));
        surroundings.giveVisitor("small", "x".repeat(50_000));
        String[] options = {"--http2", "-X", method, "-H", "Cookie: " + cookie, "-H", "Content-Length:", "-T"};

        assertThat(uploaded("unexpected", options)).isEqualTo(413);
        assertThat(uploaded("small", options)).isEqualTo(application);
    }

    private static int uploaded(String file, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("/mnt/" + file);
        return statusFor(HOG, WWW + "/", all.toArray(String[]::new));
    }

    @Test
    void shouldTakeSoManyUploadsOfMiddlingSizeAtOnce() {
        assertThat(hold("bodies", HOG, 60, "9999999")).isEqualTo("40 held 20 429\n");
        assertThat(hold("bodies", OTHERS.get(0), 60, "100000")).isEqualTo("40 held 20 429\n");

        assertThat(statusFor(HOG, WWW + "/", "-d", "order")).isEqualTo(200);
        surroundings.giveVisitor("large-upload", "x".repeat(10_000_000));
        assertThat(statusFor(HOG, WWW + "/", "--data-binary", "@/mnt/large-upload"))
                .isEqualTo(200);
    }

    /**
     * Files that Nginx has deleted and has open still, and downloads that end short: https://github.com/iv-org/invidious/issues/810,
     * https://github.com/Difegue/LANraragi/issues/1286, https://github.com/eikek/sharry/issues/130
     */
    @Test
    void shouldKeepNothingOnDiskOfAnAnswerThatASlowClientTakesAndGiveHimAllOfIt() {
        long before = onDisk();
        CompletableFuture<Ended> download = CompletableFuture.supplyAsync(() -> visitor.curl(
                WWW + "/large/200m", "--limit-rate", "20M", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"));
        long most = 0;
        while (!download.isDone()) {
            most = Math.max(most, onDisk());
        }

        assertThat(download.join().output()).isEqualTo("200 " + 200 * MIB);
        assertThat(most - before).isLessThan(MIB);
    }

    /** The cache takes an answer in at the application's pace, and its file is on disk as long as a client reads it: https://github.com/nginx/nginx/issues/868 */
    @Test
    void shouldKeepNoLargeAnswerInTheCache() {
        long before = onDisk();
        assertThat(cacheStatusOf("/public/10m")).isEqualTo("MISS");
        assertThat(cacheStatusOf("/public/10m")).isEqualTo("MISS");
        assertThat(onDisk() - before).isLessThan(MIB);

        assertThat(cacheStatusOf("/public/9m")).isEqualTo("MISS");
        Await.that(
                "the cache",
                EdgeSurroundings.LIMIT,
                () -> cacheStatusOf("/public/9m").equals("HIT"));
        assertThat(onDisk() - before).isGreaterThanOrEqualTo(9 * MIB);
    }

    /** What the client says first; it holds on until the end of the test. */
    private String hold(String way, String address, Object... numbers) {
        String file = fileOf(way, address);
        root.resolve(file).toFile().delete();
        StringBuilder command = new StringBuilder("python3 /mnt/" + CLIENT + " " + way + " " + address);
        for (Object number : numbers) {
            command.append(' ').append(number);
        }
        command.append(" >/mnt/").append(file);
        holding.add(
                CompletableFuture.supplyAsync(() -> surroundings.run(Place.VISITOR, "sh", "-c", command.toString())));
        Await.that(
                "the client", EdgeSurroundings.LIMIT, () -> said(way, address).contains("\n"));
        return said(way, address);
    }

    private static String said(String way, String address) {
        return surroundings.fromVisitor(fileOf(way, address));
    }

    private static String fileOf(String way, String address) {
        return way + "-" + address;
    }

    private static int statusFor(String address, String url, String... options) {
        List<String> all = new ArrayList<>(List.of("--interface", address, "-o", "/dev/null", "-w", "%{http_code}"));
        all.addAll(List.of(options));
        Ended ended = visitor.curl(url, all.toArray(String[]::new));
        assertThat(ended.status()).as(ended.error()).isZero();
        return Integer.parseInt(ended.output());
    }

    private static String cacheStatusOf(String path) {
        Ended ended = visitor.curl(WWW + path, "-o", "/dev/null", "-w", "%header{x-proxy-cache}");
        assertThat(ended.status()).as(ended.error()).isZero();
        return ended.output();
    }

    /** Bytes of the cache, and of what Nginx has open and has taken out of its folder already, as it does with bodies and answers. */
    private static long onDisk() {
        Ended ended = surroundings.run(
                Place.EDGE,
                "sh",
                "-c",
                "{ find -L /proc/[0-9]*/fd -maxdepth 1 -type f -links 0 -printf '%D:%i %b\\n' 2>/dev/null;"
                        + " find /var/cache/nginx -type f -printf '%D:%i %b\\n'; } | sort -u"
                        + " | awk '{ blocks += $2 } END { print blocks * 512 }'");
        return Long.parseLong(ended.output().strip());
    }

    /** A service that sends files as fast as they are taken; those below /public may be kept. */
    private static void serveLargeFiles() {
        succeed(surroundings.run(
                Place.APPLICATION,
                "sh",
                "-c",
                "mkdir -p /srv/files/large /srv/files/public && truncate -s 200M /srv/files/large/200m"
                        + " && truncate -s 9M /srv/files/public/9m && truncate -s 10M /srv/files/public/10m"
                        + " && { python3 -m http.server -b 10.0.1.2 -d /srv/files 8000 >/dev/null 2>&1 & }"));
        surroundings.put("conf.d/files.conf", "upstream files { server 10.0.1.2:8000; }\n");
        surroundings.put(
                "site.d/files.conf",
                "location /large/ { proxy_pass http://files; }\n"
                        + "location /public/ { proxy_pass http://files; proxy_cache_valid 200 10m; }\n");
        surroundings.reload();
        Await.that("the files", EdgeSurroundings.LIMIT, () -> statusFor(OTHERS.get(0), WWW + "/public/") == 200);
    }

    private static void succeed(Ended ended) {
        assertThat(ended.status()).as(ended.error()).isZero();
    }
}
