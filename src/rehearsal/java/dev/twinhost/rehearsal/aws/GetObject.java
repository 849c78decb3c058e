package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.Published;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;

/** S3: a file asset of an assembly, where {@code cdk deploy} would have put it. */
final class GetObject implements Action {
    private final Published published;

    GetObject(Published published) {
        this.published = published;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String bucket = parameters.get("Bucket");
        String key = parameters.get("Key");
        FileAsset asset = published.assets().stream()
                .filter(candidate ->
                        candidate.bucket().equals(bucket) && candidate.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new AwsError(404, "NoSuchKey", "No asset is published as " + bucket + "/" + key));
        try {
            return new Answer(200, "application/octet-stream", Files.readAllBytes(asset.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
