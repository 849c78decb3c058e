package dev.twinhost.rehearsal;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.site.Site;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A site with one of each, small enough to be read whole, and changed by tests in one place at a time. */
public final class SmallAssembly {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode template;
    private String acmeDirectory = "https://acme-v02.api.letsencrypt.org/directory";
    private String appImage = "";
    private String extraDomains = "";

    public SmallAssembly() {
        try (InputStream stream = SmallAssembly.class.getResourceAsStream("small.template.json")) {
            template = (ObjectNode) JSON.readTree(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Replaces or adds what stands at this path below Resources, as in /Https/Properties/Protocol. */
    public SmallAssembly with(String path, String json) {
        JsonPointer pointer = JsonPointer.compile("/Resources" + path);
        try {
            JsonNode value = JSON.readTree(json);
            ((ObjectNode) template.at(pointer.head())).set(pointer.last().getMatchingProperty(), value);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A deploy of it waits for the answer to this release. */
    public SmallAssembly waitingFor(String release) {
        return with("/Handle" + release, "{\"Type\": \"AWS::CloudFormation::WaitConditionHandle\"}")
                .with("/Condition" + release, """
                        {
                          "Type": "AWS::CloudFormation::WaitCondition",
                          "Properties": { "Count": 1, "Handle": { "Ref": "Handle%s" }, "Timeout": "4500" }
                        }""".formatted(release));
    }

    public SmallAssembly without(String path) {
        JsonPointer pointer = JsonPointer.compile("/Resources" + path);
        ((ObjectNode) template.at(pointer.head())).remove(pointer.last().getMatchingProperty());
        return this;
    }

    public SmallAssembly withAcmeDirectory(String url) {
        acmeDirectory = url;
        return this;
    }

    public SmallAssembly withAppImage(String image) {
        appImage = image;
        return this;
    }

    public SmallAssembly withExtraDomains(String names) {
        extraDomains = names;
        return this;
    }

    public JsonNode template() {
        return template;
    }

    /** Writes it as cdk synth would, and reads it as the rehearsal does. */
    public Site read() {
        try {
            return Site.read(write(Files.createTempDirectory("assembly")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path write(Path folder) throws IOException {
        folder.toFile().deleteOnExit();
        ObjectNode manifest = JSON.createObjectNode();
        ObjectNode artifacts = manifest.putObject("artifacts");
        artifacts
                .putObject("Small")
                .put("type", "aws:cloudformation:stack")
                .putObject("properties")
                .put("templateFile", "Small.template.json");
        artifacts
                .putObject("Small.assets")
                .put("type", "cdk:asset-manifest")
                .putObject("properties")
                .put("file", "Small.assets.json");
        ObjectNode asset = JSON.createObjectNode();
        ObjectNode release = asset.putObject("files").putObject("release");
        release.putObject("source").put("path", "release.zip").put("packaging", "file");
        release.putObject("destinations")
                .putObject("current")
                .put("bucketName", "assets-${AWS::AccountId}-${AWS::Region}")
                .put("objectKey", "site/release.zip");
        write(folder, "manifest.json", manifest);
        write(folder, "Small.assets.json", asset);
        write(folder, "Small.template.json", template);
        Path zip = folder.resolve("release.zip");
        zip.toFile().deleteOnExit();
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            out.putNextEntry(new ZipEntry("settings.env"));
            out.write(
                    "export TWINHOST_ACME_DIRECTORY='%s'\nexport TWINHOST_APP_IMAGE='%s'\nexport TWINHOST_EXTRA_DOMAINS='%s'\n"
                            .formatted(acmeDirectory, appImage, extraDomains)
                            .getBytes(StandardCharsets.UTF_8));
        }
        return folder;
    }

    private static void write(Path folder, String name, JsonNode node) throws IOException {
        Path file = folder.resolve(name);
        file.toFile().deleteOnExit();
        JSON.writeValue(file.toFile(), node);
    }
}
