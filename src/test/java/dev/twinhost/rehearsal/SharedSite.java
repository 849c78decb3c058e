package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Command;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** A site that is up, started with {@code up} before the first test that wants it and ended after the last of all tests. */
final class SharedSite implements AutoCloseable {
    private final Commands commands = new Commands(Path.of(""), 's');
    private final Rehearsal rehearsal = commands.rehearsal();
    private final Commands.Run up;

    private SharedSite() throws Exception {
        commands.run("down");
        up = commands.run("up");
        assertThat(up.output()).contains("The site is up on 1 at ");
        assertThat(up.status()).isZero();
    }

    Commands commands() {
        return commands;
    }

    Rehearsal rehearsal() {
        return rehearsal;
    }

    /** What {@code up} has printed. */
    String output() {
        return up.output();
    }

    List<Machine> hosts() {
        return rehearsal.machines().all().stream()
                .filter(machine ->
                        rehearsal.site().machineGroup(machine.group()).serves())
                .toList();
    }

    Machine other(Machine host) {
        return hosts().stream()
                .filter(candidate -> !candidate.equals(host))
                .findFirst()
                .orElseThrow();
    }

    /** Output of a command inside a machine. */
    String inside(Machine machine, String... words) {
        return rehearsal.inside(machine, Arrays.asList(words)).run().strip();
    }

    /** curl as a visitor. */
    String visit(String... arguments) {
        List<String> words = new ArrayList<>(List.of("curl", "-sS", "-m", "10"));
        words.addAll(Arrays.asList(arguments));
        return rehearsal.asVisitor(words).run();
    }

    /** curl to one host at its own address, from where the balancer stands. */
    Command.Result visitHost(Machine host, String path) {
        String name = rehearsal.site().mainName();
        return rehearsal
                .curlAtBalancer(List.of(
                        "-sS",
                        "-m",
                        "10",
                        "--cacert",
                        "/mnt/ca.pem",
                        "--resolve",
                        name + ":443:" + host.address(),
                        "https://" + name + path))
                .result();
    }

    @Override
    public void close() throws Exception {
        commands.run("down");
    }

    /** Gives the one site to every test that has a parameter for it. */
    static final class Extension implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType().equals(SharedSite.class);
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .computeIfAbsent(SharedSite.class, key -> start(), SharedSite.class);
        }

        private static SharedSite start() {
            try {
                return new SharedSite();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
