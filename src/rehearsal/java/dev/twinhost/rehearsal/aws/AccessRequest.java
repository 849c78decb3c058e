package dev.twinhost.rehearsal.aws;

import java.util.Map;

/**
 * What IAM is asked about a call.
 *
 * @param action by IAM's name
 * @param resource the ARN that the service makes of the call, or {@code *}
 * @param context the condition keys that the service fills in, with their values
 */
public record AccessRequest(String action, String resource, Map<String, String> context) {}
