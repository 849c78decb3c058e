package dev.twinhost.rehearsal.authority;

import dev.twinhost.rehearsal.dns.DnsConfiguration;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.FrontCertificate;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.Tools;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The CA: pebble, strict, behind a front that answers as Let's Encrypt's own names on port 443 with a certificate of
 * the rehearsal's authority, which the machines trust. Its challenges come from the internet, as a visitor's requests do.
 */
public final class Authority {
    /** Its front, and the name of its log. */
    public static final String FRONT = "acme-front";

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Path scripts;
    private final Path folder;
    private final Namespace internet;
    private final Tools tools;
    private final Path cache;

    public Authority(Path scripts, Path folder, Namespace internet, Tools tools, Path cache) {
        this.scripts = scripts;
        this.folder = folder;
        this.internet = internet;
        this.tools = tools;
        this.cache = cache;
    }

    public void start() {
        new FrontCertificate(scripts, cache, folder).issue(DnsConfiguration.AUTHORITIES);
        Folders.write(folder.resolve(RunningAuthority.CONDUCT), RunningAuthority.conduct());
        for (String file : List.of("pebble.json", "acme-front.cfg")) {
            Folders.write(
                    folder.resolve(file), Folders.read(scripts.resolve("tools").resolve(file)));
        }
        Tools.Daemon pebble = tools.daemon(
                "pebble",
                internet,
                folder,
                "env",
                "PEBBLE_VA_NOSLEEP=1",
                // pebble rejects one nonce in twenty for practice; two in a row end an order of certbot.
                "PEBBLE_WFE_NONCEREJECT=0",
                "pebble",
                "-strict",
                "-config",
                "/mnt/pebble.json",
                "-dnsserver",
                Fabric.RESOLVER + ":53");
        Tools.Daemon front = tools.daemon(FRONT, internet, folder, "haproxy", "-db", "-f", "/mnt/acme-front.cfg");
        Await.that(
                "the CA to answer as " + DnsConfiguration.AUTHORITIES.get(0),
                LIMIT,
                () -> pebble.running() && front.running() && answers());
    }

    /** The root under which pebble issues: what a visitor trusts. */
    public String root() {
        return tools.command(internet, folder, "curl", "-sSk", "https://127.0.0.1:15000/roots/0")
                .run();
    }

    private boolean answers() {
        String name = DnsConfiguration.AUTHORITIES.get(0);
        return tools.command(
                                internet,
                                folder,
                                "curl",
                                "-sSf",
                                "--cacert",
                                "/mnt/ca.pem",
                                "--resolve",
                                name + ":443:" + Fabric.AUTHORITY,
                                "-o",
                                "/dev/null",
                                "https://" + name + "/directory")
                        .result()
                        .status()
                == 0;
    }
}
