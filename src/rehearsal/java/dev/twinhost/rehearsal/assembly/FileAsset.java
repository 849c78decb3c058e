package dev.twinhost.rehearsal.assembly;

import java.nio.file.Path;

/** A file of the assembly, and where {@code cdk deploy} would have published it. */
public record FileAsset(String bucket, String key, Path file) {}
