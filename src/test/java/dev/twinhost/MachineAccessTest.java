package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.aws.Iam;
import dev.twinhost.rehearsal.aws.Identity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** That the role of the machines allows, for every variant of the settings, each call that they make and no action besides. */
@Needs(Needs.TEST_MODULES)
class MachineAccessTest {
    private static final List<String> SCRIPTS = List.of("docker", "src/main/resources/dev/twinhost");

    private static Iam iam;

    /** Variants whose machines call the same with the same policies are one. */
    private static final Map<List<Object>, Site> SITES = new LinkedHashMap<>();

    private record Site(Variant variant, MachineCalls calls) {}

    @BeforeAll
    static void start() {
        iam = Iam.start(Shell.CHECKOUT);
        for (Variant variant : Matrix.variants()) {
            JsonNode template = variant.templates().stream()
                    .filter(candidate -> candidate.path("Resources").has("Hosts"))
                    .findFirst()
                    .orElseThrow();
            Map<String, Object> settings = new HashMap<>(SynthesisedTemplate.CONTEXT);
            settings.putAll(variant.settings());
            MachineCalls calls = new MachineCalls(settings, template);
            SITES.putIfAbsent(List.of(calls.callers(), calls.all()), new Site(variant, calls));
        }
    }

    @AfterAll
    static void end() {
        iam.close();
    }

    @Test
    void shouldAllowEveryCallOfAMachine() {
        List<String> denied = new ArrayList<>();
        SITES.values()
                .forEach(site -> site.calls()
                        .callers()
                        .forEach(caller -> denied(site.calls(), caller)
                                .forEach(call -> denied.add(site.variant() + ": " + call))));

        assertThat(SITES).hasSizeGreaterThan(1);
        assertThat(denied).isEmpty();
    }

    /**
     * So that none of them can be lost unnoticed, and none is there for nothing but one: CDK lets the machines of each group
     * that waits for signals signal to the stack by its id, and they call it by its name.
     */
    @Test
    void shouldNeedEveryStatementOfTheRoleWithEachActionAndResource() {
        List<String> needless = new ArrayList<>();
        for (Site site : SITES.values()) {
            for (Identity caller : site.calls().callers()) {
                Map<String, Identity> less = less(caller);
                assertThat(less).isNotEmpty();
                less.forEach((what, without) -> {
                    if (denied(site.calls(), without).isEmpty()) {
                        needless.add(site.variant() + ": " + what);
                    }
                });
            }
        }
        assertThat(needless)
                .containsExactlyElementsOf(SITES.values().stream()
                        .map(site -> site.variant() + ": the statement on cloudformation:SignalResource without a Sid")
                        .toList());
    }

    @Test
    void shouldKnowEveryCallOfTheScripts() {
        Set<String> called = new TreeSet<>();
        SCRIPTS.stream()
                .flatMap(folder -> files(Shell.CHECKOUT.resolve(folder)))
                .forEach(script -> called.addAll(MachineCalls.commands(read(script))));

        assertThat(called).isEqualTo(new TreeSet<>(MachineCalls.COMMANDS.keySet()));
        assertThat(SITES.values().stream()
                        .flatMap(site -> site.calls().all().stream())
                        .map(call -> call.request().action()))
                .containsAll(MachineCalls.COMMANDS.values().stream()
                        .flatMap(List::stream)
                        .toList());
    }

    @Test
    void shouldFindTheCallsInAScript() {
        assertThat(
                        MachineCalls.commands(
                                "# aws s3 ls\nx=$(timeout 9 aws ssm get-parameter --name a) || aws \\\n  s3api get-object\naws --debug sts"))
                .containsExactly("ssm get-parameter", "s3api get-object", "--debug sts");
    }

    private static List<MachineCalls.Call> denied(MachineCalls calls, Identity caller) {
        return calls.all().stream()
                .filter(call -> !iam.judge(caller, call.request(), call.resourcePolicy())
                        .allowed())
                .toList();
    }

    /** The caller with one statement less, for each of them, or one action or resource less where a statement has several. */
    private static Map<String, Identity> less(Identity caller) {
        Map<String, Identity> less = new LinkedHashMap<>();
        for (int policy = 0; policy < caller.policies().size(); policy++) {
            JsonNode statements = caller.policies().get(policy).path("Statement");
            for (int number = 0; number < statements.size(); number++) {
                JsonNode statement = statements.get(number);
                String name = statement.has("Sid")
                        ? "the statement " + statement.path("Sid").asText()
                        : "the statement on " + statement.path("Action").asText() + " without a Sid";
                ArrayNode others = ((ArrayNode) statements).deepCopy();
                others.remove(number);
                less.put(name, with(caller, policy, others));
                for (String field : List.of("Action", "Resource")) {
                    JsonNode several = statement.path(field);
                    for (int one = 0; several.isArray() && several.size() > 1 && one < several.size(); one++) {
                        ArrayNode changed = ((ArrayNode) statements).deepCopy();
                        ((ArrayNode) changed.get(number).path(field)).remove(one);
                        less.put(several.get(one).asText() + " in " + name, with(caller, policy, changed));
                    }
                }
            }
        }
        return less;
    }

    private static Identity with(Identity caller, int policy, ArrayNode statements) {
        List<JsonNode> policies = new ArrayList<>(caller.policies());
        if (statements.isEmpty()) {
            policies.remove(policy);
        } else {
            policies.set(policy, ((ObjectNode) policies.get(policy)).deepCopy().set("Statement", statements));
        }
        return new Identity(caller.principal(), caller.account(), policies);
    }

    private static Stream<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
