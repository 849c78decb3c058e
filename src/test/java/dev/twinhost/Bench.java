package dev.twinhost;

import dev.twinhost.bench.Comparison;
import dev.twinhost.bench.Figures;
import dev.twinhost.bench.Goal;
import dev.twinhost.bench.Options;
import dev.twinhost.bench.Rounds;
import dev.twinhost.bench.Table;
import dev.twinhost.rehearsal.BootBench;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of the measurements; {@code bin/bench} starts it. */
@CommandLine.Command(
        name = "bin/bench",
        description = "Measures what the design promises, beside what it is compared with.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {Bench.Edge.class, Bench.Synth.class, BootBench.class})
final class Bench {
    private static final int WRONG = CommandLine.ExitCode.USAGE;

    private Bench() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    static int run(String... arguments) {
        CommandLine line = new CommandLine(new Bench());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((exception, words) -> {
            System.err.println("bin/bench: " + exception.getMessage() + "; type: sudo "
                    + exception.getCommandLine().getCommandSpec().qualifiedName() + " --help");
            return WRONG;
        });
        line.setExecutionExceptionHandler((exception, failed, result) -> {
            if (!(exception instanceof Failure)) {
                throw exception;
            }
            System.err.println("bin/bench: " + exception.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        });
        return line.execute(arguments);
    }

    @CommandLine.Command(
            name = "edge",
            description = {
                "Measures the edge beside bare Nginx, Caddy and HAProxy, in one interleaved run, and prints figures, ratios and goals.",
                "A figure to believe takes a calm machine: let nothing else run."
            },
            mixinStandardHelpOptions = true)
    static final class Edge implements Callable<Integer> {
        private static final Path WITHOUT = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/bench/without");

        @Spec
        private CommandLine.Model.CommandSpec spec;

        @Option(
                names = "--rounds",
                paramLabel = "N",
                defaultValue = "7",
                description = "How often each is measured: ${DEFAULT-VALUE}. With fewer than 3 no goal is judged.")
        private int rounds;

        @Option(
                names = "--seconds",
                paramLabel = "N",
                defaultValue = "5",
                description = "How long each measurement takes: ${DEFAULT-VALUE}.")
        private int seconds;

        @Option(
                names = "--row",
                paramLabel = "ROW",
                split = ",",
                description = "Only these: ${COMPLETION-CANDIDATES}. TAIL needs SMALL.")
        private List<EdgeBench.Row> rows = List.of(EdgeBench.Row.values());

        @Option(
                names = "--without",
                paramLabel = "PART[+PART…]",
                description = "Puts an edge without this part beside the others; several times, for several edges.")
        private List<String> without = List.of();

        @Option(
                names = "--patch",
                paramLabel = "FILE",
                description = "Likewise with a patch of the folder nginx/, as git diff prints it.")
        private List<Path> patches = List.of();

        @Option(names = "--no-rivals", description = "Leaves out Caddy and HAProxy.")
        private boolean alone;

        @Override
        public Integer call() throws IOException, InterruptedException {
            Options.checkRounds(spec, rounds);
            Options.check(spec, "--seconds", seconds, 1, 60);
            if (rows.contains(EdgeBench.Row.TAIL) && !rows.contains(EdgeBench.Row.SMALL)) {
                throw new ParameterException(
                        spec.commandLine(), "--row: TAIL needs SMALL in the same run, got " + rows);
            }
            Map<String, Consumer<Path>> variants = new LinkedHashMap<>();
            for (String parts : without) {
                List<String> each = List.of(parts.split("\\+", -1));
                checkParts(each);
                variants.put("without " + parts, release -> each.forEach(part -> leaveOut(part, release)));
            }
            for (Path patch : patches) {
                if (!Files.isReadable(patch)) {
                    throw new ParameterException(spec.commandLine(), "--patch: wants a file, got " + patch);
                }
                Path file = patch.toAbsolutePath();
                variants.put("with " + patch.getFileName(), release -> apply(file, release));
            }
            Path root = Files.createTempDirectory("twinhost-bench-");
            try {
                new EdgeBench(rounds, seconds, rows, System.out::println).run(root, variants, !alone);
            } finally {
                Command.of("rm", "-rf", "--one-file-system", root.toString()).run();
            }
            return 0;
        }

        private void checkParts(List<String> parts) throws IOException {
            for (String part : parts) {
                if (!parts().contains(part)) {
                    throw new ParameterException(
                            spec.commandLine(),
                            "--without: wants one of " + String.join(", ", parts()) + ", got \"" + part + "\"");
                }
            }
        }

        /** What can be left out. */
        static List<String> parts() throws IOException {
            try (Stream<Path> programs = Files.list(WITHOUT)) {
                return programs.map(program -> program.getFileName().toString().replace(".sed", ""))
                        .sorted()
                        .toList();
            }
        }

        /** Has a part's program change the folder nginx/ of a release; one that changes nothing has lost what it was made for. */
        static void leaveOut(String part, Path release) {
            Path program = WITHOUT.resolve(part + ".sed");
            String before = content(release);
            Command.of(
                            "sh",
                            "-c",
                            "find \"$1\" -name '*.conf' -exec sed -i -f \"$2\" {} +",
                            "sh",
                            release + "/nginx",
                            program.toString())
                    .run();
            if (content(release).equals(before)) {
                throw new Failure(program + " finds nothing to change in nginx/: put it right");
            }
        }

        /** Has a patch of the folder nginx/ change that of a release. */
        static void apply(Path patch, Path release) {
            Command.of("git", "apply", patch.toString()).in(release).run();
        }

        private static String content(Path release) {
            try (Stream<Path> files = Files.walk(release.resolve("nginx"))) {
                return files.filter(Files::isRegularFile)
                        .sorted()
                        .map(Folders::read)
                        .collect(Collectors.joining());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @CommandLine.Command(
            name = "synth",
            description =
                    "Measures npx cdk synth -q with unchanged sources, beside the way that cdk init sets up, in turns: one round of each does not count.",
            mixinStandardHelpOptions = true)
    static final class Synth implements Callable<Integer> {
        private static final String ROW = "npx cdk synth -q, sources unchanged, seconds";
        private static final String OURS = "bin/app";
        private static final String THEIRS = "cdk init";

        /** As in the cdk.json that cdk init --language java writes, without the checks of style that this project has and it has not. */
        private static final String APP = "mvn -e -q compile exec:java -DskipStyle";

        @Spec
        private CommandLine.Model.CommandSpec spec;

        @Option(
                names = "--rounds",
                paramLabel = "N",
                defaultValue = "10",
                description = "How often each is measured: ${DEFAULT-VALUE}. With fewer than 3 no goal is judged.")
        private int rounds;

        @Override
        public Integer call() throws IOException {
            Options.checkRounds(spec, rounds);
            Path assembly = Files.createTempDirectory("twinhost-bench-");
            Map<String, List<String>> ways = new LinkedHashMap<>();
            ways.put(OURS, List.of("npx", "cdk", "synth", "-q", "--output", assembly + "/ours"));
            ways.put(THEIRS, List.of("npx", "cdk", "synth", "-q", "--output", assembly + "/theirs", "--app", APP));
            Figures figures = new Figures();
            try {
                ways.values().forEach(Synth::seconds);
                for (int round = 0; round < rounds; round++) {
                    for (String way : Rounds.order(List.copyOf(ways.keySet()), round)) {
                        figures.add(ROW, way, seconds(ways.get(way)));
                    }
                    System.out.println("round " + (round + 1) + " of " + rounds);
                }
            } finally {
                Folders.delete(assembly);
            }
            System.out.println(
                    Table.of(figures, List.of(Comparison.of(ROW, OURS, THEIRS).with(Goal.atMost(0.5)))));
            ways.forEach((way, words) -> System.out.println(way + ": " + String.join(" ", words)));
            return 0;
        }

        /** How long a command takes that succeeds. */
        private static double seconds(List<String> words) {
            long begin = System.nanoTime();
            Command.of(words).in(Shell.CHECKOUT).run();
            return (System.nanoTime() - begin) / 1e9;
        }
    }
}
