package dev.twinhost;

import java.util.HashMap;
import java.util.Map;

/** Pipelines as the app makes them, each once: of different settings, that the tests look at from several sides. */
final class Pipelines {
    static final String PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    static final String REPOSITORY = "octo-org@123456/site@456789";

    private Pipelines() {}

    private static final class OfMain {
        private static final SynthesisedTemplate APP = of(Map.of("githubRepository", REPOSITORY));
    }

    private static final class OfEnvironment {
        private static final SynthesisedTemplate APP = SynthesisedTemplate.with(Map.of(
                "githubRepository", REPOSITORY, "githubEnvironment", "production", "githubOidcProviderArn", PROVIDER));
    }

    private static final class OfName {
        private static final SynthesisedTemplate APP = of(Map.of(
                "environment",
                "staging",
                "environments",
                Map.of("staging", Map.of("githubRepository", "octo-org/site")),
                "@aws-cdk/core:bootstrapQualifier",
                "shop12345"));
    }

    /** In a known account, in which the zone is looked up by its name. */
    private static SynthesisedTemplate of(Map<String, Object> settings) {
        Map<String, Object> context = new HashMap<>(settings);
        context.put("hostedZoneId", null);
        return SynthesisedTemplate.with(context, SynthesisedTemplate.ACCOUNT);
    }

    /** For the main branch of a repository that is named with its ids. */
    static SynthesisedTemplate ofMain() {
        return OfMain.APP;
    }

    /** For an environment of that repository, through the provider that the account has, in no known account. */
    static SynthesisedTemplate ofEnvironment() {
        return OfEnvironment.APP;
    }

    /** For a repository without ids, as a second site, with a bootstrap of another qualifier. */
    static SynthesisedTemplate ofName() {
        return OfName.APP;
    }
}
