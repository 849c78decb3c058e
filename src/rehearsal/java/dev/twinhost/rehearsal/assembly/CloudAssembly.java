package dev.twinhost.rehearsal.assembly;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What {@code cdk synth} has written: the site's template and the assets that it refers to. */
public final class CloudAssembly {
    /** A file beside the template, where the deploy that has made its handle is not the first one. */
    public static final String DEPLOY = "deploy";

    private static final String FIRST_DEPLOY = "0000";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Place place;
    private final Template template;
    private final List<FileAsset> assets = new ArrayList<>();

    private CloudAssembly(Path folder) throws IOException {
        JsonNode artifacts =
                JSON.readTree(folder.resolve("manifest.json").toFile()).path("artifacts");
        List<Map.Entry<String, JsonNode>> stacks = new ArrayList<>();
        artifacts.properties().forEach(artifact -> {
            if (artifact.getValue().path("type").asText().equals("aws:cloudformation:stack")) {
                stacks.add(artifact);
            }
        });
        if (stacks.size() != 1) {
            throw new Failure(
                    "The assembly has " + stacks.size() + " stacks; the rehearsal plays one site's one stack.");
        }
        Map.Entry<String, JsonNode> stack = stacks.get(0);
        JsonNode properties = stack.getValue().path("properties");
        place = Place.of(properties.path("stackName").asText(stack.getKey()), deploy(folder));
        template = Template.read(folder.resolve(properties.path("templateFile").asText()));
        for (JsonNode artifact : artifacts) {
            if (artifact.path("type").asText().equals("cdk:asset-manifest")) {
                readAssets(folder, artifact.path("properties").path("file").asText());
            }
        }
    }

    public static CloudAssembly read(Path folder) {
        try {
            return new CloudAssembly(folder);
        } catch (IOException e) {
            throw new Failure("The assembly in " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    public Place place() {
        return place;
    }

    public Template template() {
        return template;
    }

    public List<FileAsset> assets() {
        return assets;
    }

    private static String deploy(Path folder) throws IOException {
        Path file = folder.resolve(DEPLOY);
        return Files.exists(file) ? Files.readString(file) : FIRST_DEPLOY;
    }

    private void readAssets(Path folder, String manifest) throws IOException {
        JsonNode root = JSON.readTree(folder.resolve(manifest).toFile());
        if (!root.path("dockerImages").isEmpty()) {
            throw new Unplayable(
                    "Asset " + root.path("dockerImages").fieldNames().next(),
                    "a container image that has to be built, as its machines reach no registry from which its base"
                            + " could come: build it yourself, and take it with -c appImage=NAME and up --image FILE,"
                            + " which docker save NAME -o FILE writes");
        }
        root.path("files").properties().forEach(asset -> {
            JsonNode source = asset.getValue().path("source");
            Path file = folder.resolve(source.path("path").asText());
            if (!source.path("packaging").asText().equals("file") || !Files.isRegularFile(file)) {
                throw new Unplayable("Asset " + asset.getKey(), "what is not packed as one file: " + source);
            }
            for (JsonNode destination : asset.getValue().path("destinations")) {
                assets.add(new FileAsset(
                        fill(destination.path("bucketName").asText()),
                        fill(destination.path("objectKey").asText()),
                        file));
            }
        });
    }

    private String fill(String text) {
        return text.replace("${AWS::AccountId}", place.account())
                .replace("${AWS::Region}", place.region())
                .replace("${AWS::Partition}", "aws");
    }
}
