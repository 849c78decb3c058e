package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.system.Failure;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * IAM: judges calls by the policies of the template. The evaluator is a program of its own, {@code judge.mjs}, which is
 * started once and asked one request after the other. Where it does not answer, the answer is no.
 */
public final class Iam implements AutoCloseable {
    /** Where the program is in a working copy, and the packages that it needs. */
    public static final Path FOLDER = Path.of("src/test/node");

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BufferedWriter requests;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Duration limit;

    Iam(List<String> program, Duration limit) {
        this.limit = limit;
        try {
            process =
                    new ProcessBuilder(program).redirectError(Redirect.INHERIT).start();
        } catch (IOException e) {
            throw new Failure(program.get(0) + " cannot be run: " + e.getMessage(), e);
        }
        requests = process.outputWriter(StandardCharsets.UTF_8);
        Thread reader = new Thread(this::read, "iam");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts the evaluator of a working copy, with its Node where it has one. */
    public static Iam start(Path checkout) {
        Path folder = checkout.resolve(FOLDER);
        if (!Files.exists(folder.resolve("node_modules/@cloud-copilot/iam-simulate"))) {
            throw new Failure("What judges calls as IAM does is not installed; type: npm ci --prefix " + FOLDER);
        }
        String path = checkout.resolve("node_modules/.bin") + ":" + System.getenv("PATH");
        return new Iam(
                List.of(
                        "env",
                        "PATH=" + path,
                        "node",
                        folder.resolve("judge.mjs").toString()),
                LIMIT);
    }

    public Verdict judge(Identity who, AccessRequest what) {
        return judge(who, what, null);
    }

    /** @param resourcePolicy of the resource itself; null where it has none */
    public synchronized Verdict judge(Identity who, AccessRequest what, JsonNode resourcePolicy) {
        ObjectNode request = JSON.createObjectNode()
                .put("principal", who.principal().isEmpty() ? null : who.principal())
                .put("account", who.account())
                .put("action", what.action())
                .put("resource", what.resource());
        request.set("context", JSON.valueToTree(what.context()));
        ArrayNode policies = request.putArray("policies");
        who.policies().forEach(policies::add);
        request.set("resourcePolicy", resourcePolicy);
        try {
            requests.write(request + "\n");
            requests.flush();
            return verdict(answers.poll(limit.toMillis(), TimeUnit.MILLISECONDS));
        } catch (IOException e) {
            return Verdict.denied("as the evaluator of IAM's policies has ended");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return broken("was interrupted");
        }
    }

    private Verdict verdict(String line) {
        if (line == null || line.isEmpty()) {
            return broken(line == null ? "did not answer within " + limit.toSeconds() + " s" : "has ended");
        }
        try {
            JsonNode verdict = JSON.readTree(line);
            if (verdict.path("allowed").isBoolean() && verdict.path("why").isTextual()) {
                return new Verdict(
                        verdict.path("allowed").asBoolean(), verdict.path("why").asText());
            }
        } catch (JsonProcessingException e) {
            // no verdict, as any other line that is none
        }
        return broken("answered " + line);
    }

    /** A later answer could be one to an earlier request: there is none after this. */
    private Verdict broken(String how) {
        close();
        return Verdict.denied("as the evaluator of IAM's policies " + how);
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(answers::add);
        } catch (IOException | RuntimeException e) {
            // it has ended, which the empty line says
        }
        answers.add("");
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
