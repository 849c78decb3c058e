package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.registry.Reference;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** What the release archive tells the hosts about the site, as far as the rehearsal has to know it: CA, image and extra names. */
public record ReleaseSettings(String acmeDirectory, Optional<Reference> appImage, List<String> extraDomains) {
    private static final Pattern LINE = Pattern.compile("(?m)^export ([A-Z_]+)='([^']*)'$");
    private static final Pattern PLAYED =
            Pattern.compile("https://(acme-v02|acme-staging-v02)\\.api\\.letsencrypt\\.org/directory");

    static ReleaseSettings of(List<FileAsset> assets) {
        for (FileAsset asset : assets) {
            if (asset.key().endsWith(".zip")) {
                Map<String, String> settings = read(asset);
                if (settings.containsKey("TWINHOST_ACME_DIRECTORY")) {
                    String extra = settings.getOrDefault("TWINHOST_EXTRA_DOMAINS", "");
                    return new ReleaseSettings(
                            played(settings.get("TWINHOST_ACME_DIRECTORY")),
                            image(settings.getOrDefault("TWINHOST_APP_IMAGE", "")),
                            extra.isEmpty() ? List.of() : List.of(extra.split(" ")));
                }
            }
        }
        throw new Failure(
                "No asset of the assembly is a release: none has a settings.env with TWINHOST_ACME_DIRECTORY.");
    }

    private static Optional<Reference> image(String appImage) {
        try {
            return Optional.of(appImage).filter(image -> !image.isEmpty()).map(Reference::of);
        } catch (Failure e) {
            throw new Failure("appImage " + e.getMessage(), e);
        }
    }

    private static String played(String directory) {
        if (!PLAYED.matcher(directory).matches()) {
            throw new Failure("acmeServer " + directory
                    + ": the rehearsal cannot play this CA; it plays production and staging of Let's Encrypt");
        }
        return directory;
    }

    private static Map<String, String> read(FileAsset asset) {
        Map<String, String> settings = new HashMap<>();
        try (ZipFile zip = new ZipFile(asset.file().toFile())) {
            ZipEntry entry = zip.getEntry("settings.env");
            if (entry != null) {
                String text = new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
                Matcher line = LINE.matcher(text);
                while (line.find()) {
                    settings.put(line.group(1), line.group(2));
                }
            }
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException("The asset " + asset.file() + " cannot be read", e);
        }
    }
}
