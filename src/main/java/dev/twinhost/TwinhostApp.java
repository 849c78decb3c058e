package dev.twinhost;

import dev.twinhost.settings.InvalidSettings;
import dev.twinhost.settings.Settings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.DefaultStackSynthesizer;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.Stage;
import software.constructs.Construct;

/** Reads the outside world once, the context and the account, and synthesises the site's stack, and its pipeline's. */
public final class TwinhostApp {
    /** The stage of {@link PipelineAccess}. */
    static final String PIPELINE = "Pipeline";

    private static final int REFUSED = 2;

    private TwinhostApp() {}

    public static void main(String[] arguments) {
        try {
            App app = new App(TwinhostApp.props().build());
            addStack(app, System.getenv(), Path.of(""));
            app.synth();
        } catch (InvalidSettings | IncompleteCheckout refused) {
            System.err.println(refused.getMessage());
            System.exit(REFUSED);
        }
    }

    /**
     * Every behaviour that CDK 2.263.0 recommends, as {@code cdk init} would write it into {@code cdk.json}, which here
     * is for people; and only what a deploy needs in the cloud assembly.
     */
    static AppProps.Builder props() {
        return AppProps.builder()
                .postCliContext(JsonResource.read("feature-flags.json"))
                .analyticsReporting(false)
                .treeMetadata(false)
                .stackTraces(false);
    }

    /**
     * @param scope the app, or a part of it with a context of its own
     * @param variables those of the process; the CDK command line names account and region there if it knows them
     */
    static TwinhostStack addStack(Construct scope, Map<String, String> variables, Path checkout) {
        Optional<Environment> account = account(variables);
        Map<String, Object> context = WrittenContext.of(scope, variables);
        Settings settings = Settings.read(() -> context, account.isPresent(), checkout);
        account.ifPresent(here -> SiteRegion.check(settings, here, context.keySet()));
        String suffix =
                settings.environment().map(environment -> "-" + environment).orElse("");
        String name = "Twinhost" + suffix;
        StackProps.Builder props = StackProps.builder()
                .description("Twinhost: " + settings.www())
                // A folder of its own, so that the machines can be let into no other stack's assets.
                .synthesizer(DefaultStackSynthesizer.Builder.create()
                        .bucketPrefix(name + '/')
                        .build());
        account.ifPresent(props::env);
        if (settings.githubRepository().isPresent()) {
            addPipeline(scope, "TwinhostPipeline" + suffix, account, settings, name);
        }
        return new TwinhostStack(scope, name, props.build(), settings, checkout);
    }

    /**
     * In a stage of its own, so that {@code cdk deploy} and the rehearsal find one stack where none is named: who may
     * deploy is changed by a person, who types {@code Pipeline/Access}.
     */
    private static void addPipeline(
            Construct scope, String name, Optional<Environment> account, Settings settings, String site) {
        StackProps.Builder props =
                StackProps.builder().stackName(name).description("Twinhost: who deploys " + settings.www());
        account.ifPresent(props::env);
        new PipelineAccess(new Stage(scope, PIPELINE), "Access", props.build(), settings, site);
    }

    private static Optional<Environment> account(Map<String, String> variables) {
        String account = variables.get("CDK_DEFAULT_ACCOUNT");
        String region = variables.get("CDK_DEFAULT_REGION");
        return account == null || region == null
                ? Optional.empty()
                : Optional.of(
                        Environment.builder().account(account).region(region).build());
    }
}
