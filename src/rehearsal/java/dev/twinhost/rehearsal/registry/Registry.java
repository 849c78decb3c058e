package dev.twinhost.rehearsal.registry;

import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.Tools;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The registry of images: Debian's docker-registry, behind a front that answers as every registry from which the site's
 * application comes, on port 443 and on any other, with a certificate of the rehearsal's authority, which the machines trust.
 */
public final class Registry {
    /** Its front, and the name of its log. */
    public static final String FRONT = "registry-front";

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String SETTINGS = "registry.yml";
    private static final String FRONT_SETTINGS = "registry-front.cfg";

    private final Path scripts;
    private final Path cache;
    private final Path folder;
    private final Namespace internet;
    private final Tools tools;

    public Registry(Path scripts, Path cache, Path folder, Namespace internet, Tools tools) {
        this.scripts = scripts;
        this.cache = cache;
        this.folder = folder;
        this.internet = internet;
        this.tools = tools;
    }

    /** Starts it with the image of {@link Reference#OWN}; returns when it answers. */
    public void start() {
        Command.of(scripts.resolve("machine/registry.sh").toString(), folder.toString())
                .with("TWINHOST_REHEARSAL_CACHE", cache.toString())
                .run();
        new RegistryNames(scripts, cache, folder, List.of()).begin();
        EcrLogin ecr = new EcrLogin(folder);
        ecr.renew();
        Folders.write(folder.resolve(RunningRegistry.CONDUCT), RunningRegistry.conduct(ecr));
        for (String file : List.of(SETTINGS, FRONT_SETTINGS)) {
            Folders.write(
                    folder.resolve(file), Folders.read(scripts.resolve("tools").resolve(file)));
        }
        Tools.Daemon registry =
                tools.daemon("registry", internet, folder, "docker-registry", "serve", "/mnt/" + SETTINGS);
        Tools.Daemon front = tools.daemon(FRONT, internet, folder, "haproxy", "-db", "-f", "/mnt/" + FRONT_SETTINGS);
        Await.that("the registry", LIMIT, () -> registry.running() && front.running() && answers());
    }

    private boolean answers() {
        return tools.command(
                                internet,
                                folder,
                                "curl",
                                "-sSf",
                                "--cacert",
                                "/mnt/ca.pem",
                                "--resolve",
                                Reference.HUB + ":443:" + Fabric.REGISTRY,
                                "-o",
                                "/dev/null",
                                "https://" + Reference.HUB + "/v2/")
                        .result()
                        .status()
                == 0;
    }
}
