package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the edge is measured beside, without a measurement, and without Caddy, whose tree takes a while to make. */
@Tag("root")
@Tag("extended")
class EdgeBenchTest {
    @TempDir
    Path root;

    @Test
    void shouldPassOnTheSameWithAndWithoutEveryPart() throws IOException, InterruptedException {
        Map<String, Consumer<Path>> variants = new LinkedHashMap<>();
        for (String part : Bench.Edge.parts()) {
            variants.put("without " + part, release -> Bench.Edge.leaveOut(part, release));
        }
        List<String> said = new ArrayList<>();

        new EdgeBench(1, 1, List.of(), said::add).run(root, variants, false);

        assertThat(String.join("\n", said)).contains("nginx version: nginx/1.").contains("without upstream=");
    }
}
