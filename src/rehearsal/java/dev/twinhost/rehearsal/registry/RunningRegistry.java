package dev.twinhost.rehearsal.registry;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.RuntimeSocket;
import dev.twinhost.rehearsal.system.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The registry while it runs: images are put into it, it can be in trouble, and knows what it was asked. */
public final class RunningRegistry {
    static final String CONDUCT = "conduct.map";

    private static final String BEHIND = "127.0.0.1:5000";
    private static final String WELL = "well";
    private static final String NO_LOGIN = "none";
    private static final int BYTES_OF_KBIT = 125;
    /** Seconds that a push may take, and what timeout(1) ends with after them. */
    private static final int LIMIT = 900;

    private static final int TIMED_OUT = 124;

    private final Path folder;
    private final Namespace internet;
    private final Tools tools;
    private final RegistryNames names;
    private final RuntimeSocket front;

    /**
     * @param scripts of the rehearsal
     * @param cache with the authority that the machines trust
     * @param folder the registry's
     * @param dns folders from which the name servers read hosts files as soon as these change
     */
    public RunningRegistry(Path scripts, Path cache, Path folder, List<Path> dns, Namespace internet, Tools tools) {
        this.folder = folder;
        this.internet = internet;
        this.tools = tools;
        names = new RegistryNames(scripts, cache, folder, dns);
        front = front(folder);
    }

    static RuntimeSocket front(Path folder) {
        return new RuntimeSocket("The registry's front", folder.resolve("haproxy.sock"));
    }

    /** What the front begins with. */
    static String conduct(EcrLogin ecr) {
        return "conduct " + WELL + "\nrate 0\ntokens no\nlogin " + NO_LOGIN + "\necr " + ecr.token() + "\n";
    }

    /** From now on it also answers as these registries. */
    public void answerAs(Collection<String> hosts) {
        names.add(hosts);
    }

    /**
     * Puts an image into it, whatever its conduct.
     *
     * @param image see {@link ImageSource#WANTED}
     * @param reference what it is called there from now on
     * @return its digest
     */
    public String push(Path image, String reference) {
        return push(ImageSource.of(image), Reference.of(reference));
    }

    /** The same. Where the reference has a digest, the image has to have it, which an archive of {@code docker save} has lost. */
    public String push(ImageSource image, Reference reference) {
        names.add(List.of(reference.host()));
        Path incoming = folder.resolve("incoming");
        Folders.delete(incoming);
        String name = image.bringInto(Folders.make(incoming));
        List<String> words = new ArrayList<>(List.of("push"));
        if (image.kind() != ImageSource.Kind.DOCKER_ARCHIVE && ImageSource.several(incoming.resolve(name))) {
            words.add("--index");
        }
        words.addAll(List.of("/mnt/incoming/" + name, behind(reference)));
        Command.Result pushed = crane(words);
        Folders.delete(incoming);
        if (pushed.status() != 0) {
            throw new Failure(image.file() + ": is not taken by the registry: " + lastLine(pushed));
        }
        String digest = digest(reference.text()).orElseThrow();
        if (reference.digest().filter(wanted -> !wanted.equals(digest)).isPresent()) {
            throw new Failure(image.file() + ": has the digest " + digest + " in a registry, and " + reference
                    + " names another one; take the image as an OCI archive, which keeps its digest, or a"
                    + " reference without one");
        }
        return digest;
    }

    /** Gives an image another name, or moves that one to it. */
    public void tag(String reference, String other) {
        names.add(List.of(Reference.of(other).host()));
        Command.Result copied = crane(List.of("copy", behind(Reference.of(reference)), behind(Reference.of(other))));
        if (copied.status() != 0) {
            throw new Failure(reference + ": cannot be called " + other + ": " + lastLine(copied));
        }
    }

    /** The digest to which a tag leads; none where the registry does not have it. */
    public Optional<String> digest(String reference) {
        Command.Result asked = crane(List.of("digest", behind(Reference.of(reference))));
        if (asked.status() == 0) {
            return Optional.of(asked.output().strip());
        }
        if (asked.error().contains("status code 404")) {
            return Optional.empty();
        }
        throw new Failure(reference + ": the registry does not say its digest: " + lastLine(asked));
    }

    /** Deletes every image in it until it is mended. */
    public void empty() {
        if (Files.exists(emptied())) {
            Folders.delete(storage());
        } else {
            move(storage(), emptied());
        }
        Folders.make(storage());
    }

    /** It takes no connections, as a machine on which none runs. */
    public void stop() {
        fail(); // for connections that are open
        frontend("disable");
    }

    public void start() {
        frontend("enable");
        conduct(WELL);
    }

    /** It takes connections and ends them without an answer. */
    public void fail() {
        conduct("down");
    }

    /** It takes requests and never answers. */
    public void hang() {
        conduct("silent");
    }

    /** It answers with status 503. */
    public void refuse() {
        conduct("failing");
    }

    /** It answers that there were too many pulls, as Docker Hub does. */
    public void limit() {
        conduct("limiting");
    }

    /** From the next one on, each download gets at most so many kbit/s. */
    public void slow(int kilobits) {
        if (kilobits < 1) {
            throw new IllegalArgumentException(kilobits + " kbit/s are none");
        }
        rate(kilobits * BYTES_OF_KBIT);
    }

    /** It answers those alone who log in so; not as Amazon ECR, which has its own password. */
    public void requirePassword(String user, String password) {
        byte[] login = (user + ':' + password).getBytes(StandardCharsets.UTF_8);
        set("login", Base64.getEncoder().encodeToString(login));
    }

    public void requireNoPassword() {
        set("login", NO_LOGIN);
    }

    /** It wants tokens, which it gives to everybody or against the password: as Docker Hub and most others do, but for ECR. */
    public void requireToken() {
        set("tokens", "yes");
    }

    /** As Amazon ECR it takes another password from now on, which machines get when they ask AWS for one. */
    public void renewEcrPassword() {
        EcrLogin ecr = new EcrLogin(folder);
        ecr.renew();
        set("ecr", ecr.token());
    }

    /** All is as at the start, what was deleted included; what was pushed or tagged stays. */
    public void mend() {
        if (!Files.exists(front.file())) {
            return;
        }
        start();
        rate(0);
        requireNoPassword();
        set("tokens", "no");
        if (Files.exists(emptied())) {
            Command.of("cp", "-al", "--remove-destination", storage() + "/.", emptied() + "/")
                    .run();
            Folders.delete(storage());
            move(emptied(), storage());
        }
    }

    /** How many requests have ended so far, however they were answered. */
    public long requests() {
        return requests("");
    }

    /** How many of a path in which this stands, as in {@code /manifests/} or {@code /example/shop/blobs/}. */
    public long requests(String part) {
        return Folders.read(tools.log(Registry.FRONT))
                .lines()
                .filter(line -> line.matches("request (GET|HEAD) /v2/.*"))
                .filter(line -> line.contains(part))
                .count();
    }

    private void conduct(String word) {
        set("conduct", word);
    }

    /** @param bytes in a second; 0: no limit */
    private void rate(int bytes) {
        set("rate", String.valueOf(bytes));
    }

    private void frontend(String verb) {
        String answer = front.ask(verb + " frontend registry");
        if (!answer.isBlank() && !answer.contains("already")) {
            throw new Failure("The registry's front refuses \"" + verb + "\": " + answer.strip());
        }
    }

    private void set(String key, String value) {
        if (!front.ask("set map /mnt/" + CONDUCT + " " + key + " " + value).isBlank()) {
            throw new Failure("The registry's front does not take another " + key);
        }
    }

    private Command.Result crane(List<String> arguments) {
        List<String> words = new ArrayList<>(List.of("timeout", String.valueOf(LIMIT), "crane", "--insecure"));
        words.addAll(arguments);
        return tools.command(internet, folder, words.toArray(String[]::new)).result();
    }

    private static String behind(Reference reference) {
        return BEHIND + "/" + reference.place() + ":" + reference.tag();
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String lastLine(Command.Result result) {
        if (result.status() == TIMED_OUT) {
            return "no end within " + LIMIT + " s";
        }
        return result.error().strip().lines().reduce("", (before, line) -> line);
    }

    private Path storage() {
        return folder.resolve("storage");
    }

    private Path emptied() {
        return folder.resolve("emptied");
    }
}
