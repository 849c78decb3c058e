package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.load.Request;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The load on a site to which nothing happens: whatever fails here is the load's own noise. */
@OnSharedSite
class LoadTest {
    /** Where a process's nice value stands in its stat, from the field behind its name on: proc(5). */
    private static final int NICE = 16;

    @Test
    void shouldFailNoRequestOfAQuietSiteAndTellWhoAnswered(SharedSite site) {
        Load load = site.rehearsal().startLoad(20);
        Await.that(
                "200 requests",
                Duration.ofSeconds(30),
                () -> load.soFar().requests().size() >= 200);
        LoadResult result = load.stop();
        System.out.println(result.text());
        assertThat(result.failures()).isEmpty();
        List<String> hosts = site.hosts().stream().map(Machine::instanceId).toList();
        assertThat(result.requests()).extracting(Request::host).containsOnlyElementsOf(hosts);
        List<String> containers = site.hosts().stream()
                .map(host -> site.inside(host, "docker", "ps", "-q", "-f", "name=twinhost_app"))
                .toList();
        assertThat(result.requests()).extracting(Request::container).containsOnlyElementsOf(containers);
        assertThat(load.ended()).isTrue();
    }

    @Test
    void shouldPrintWhatProgramsRead(SharedSite site) throws Exception {
        Commands.Run run = site.commands().run("load", "2", "10", "--json");
        assertThat(run.status()).isZero();
        JsonNode result = new ObjectMapper().readTree(run.output());
        assertThat(result.path("requests").asInt()).isEqualTo(20);
        assertThat(result.path("failures").asInt()).isZero();
        assertThat(result.path("window").isNull()).isTrue();
        assertThat(result.path("hosts").findValuesAsText("machine")).isSubsetOf("1", "2");
    }

    /** With forty busy sessions beside a site 591 of 600 visits failed within their 5 s before it was so, and none since. */
    @Test
    void shouldPutVisitorsAndWhatStandsBetweenThemAndTheSiteFirst(SharedSite site) throws Exception {
        Load load = site.rehearsal().startLoad(1);
        List<String> first = new ArrayList<>();
        for (String process : site.rehearsal().cgroup().processes()) {
            String words = read(process, "cmdline");
            for (String name : List.of("LoadGenerator", "AwsStandIn", "haproxy", "dnsmasq")) {
                if (words.contains(name)) {
                    first.add(name);
                    assertThat(read(process, "stat").split("\\) ")[1].split(" ")[NICE])
                            .as(words)
                            .isEqualTo("-10");
                    assertThat(read(process, "autogroup")).as(words).matches("(/autogroup-\\d+ nice -10)?");
                }
            }
        }
        load.stop();
        assertThat(first).contains("LoadGenerator", "AwsStandIn", "haproxy", "dnsmasq");
    }

    /** A file that the kernel shows of a process; empty where it has none of this name. */
    private static String read(String process, String file) throws IOException {
        Path path = Path.of("/proc", process, file);
        return Files.exists(path) ? Files.readString(path).strip() : "";
    }

    @Test
    void shouldSayWhichRateItCannotDo(SharedSite site) throws Exception {
        assertThat(site.commands().run("load", "2", "201"))
                .isEqualTo(new Commands.Run(1, "RATE: got 201, want 1 to 200\n"));
    }
}
