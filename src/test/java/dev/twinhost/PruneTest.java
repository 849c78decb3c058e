package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs({"jq", "python3"})
class PruneTest {
    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createMachine() {
        shell = Machine.host(new Shell(root));
        engine = new EngineStandIn(shell)
                .answer("GET", "/services", """
                        [{"Spec":{"TaskTemplate":{"ContainerSpec":{"Image":"site/app:3"}}},
                          "PreviousSpec":{"TaskTemplate":{"ContainerSpec":{"Image":"site/app:2"}}}},
                         {"Spec":{"TaskTemplate":{"ContainerSpec":{"Image":"certbot/certbot:v5@sha256:c5"}}}}]""")
                .answer("GET", "/containers/json", "[{\"ImageID\":\"used\"}]")
                .answer("GET", "/images/json", """
                        [{"Id":"app-3","RepoTags":["site/app:3"],"RepoDigests":["site/app@sha256:a3"]},
                         {"Id":"app-2","RepoTags":["site/app:2"]},
                         {"Id":"app-1","RepoTags":["site/app:1"],"RepoDigests":null},
                         {"Id":"certbot-5","RepoTags":null,"RepoDigests":["certbot/certbot@sha256:c5"]},
                         {"Id":"certbot-4","RepoTags":[],"RepoDigests":["certbot/certbot@sha256:c4"]},
                         {"Id":"nameless","RepoTags":[],"RepoDigests":[]},
                         {"Id":"used","RepoTags":["by/hand:1"]}]""");
    }

    @Test
    void shouldRemoveOnlyWhatNeitherAContainerNorAServiceNeeds() {
        Shell.Result result = shell.verb("prune");

        assertThat(result).isEqualTo(new Shell.Result(0, ""));
        assertThat(engine.commands().stream().filter(command -> command.startsWith("docker")))
                .containsExactly(
                        "docker image rm --force app-1",
                        "docker image rm --force certbot-4",
                        "docker image rm --force nameless");
    }

    @Test
    void shouldTakeServicesThatAreTooLongForAnArgument() {
        String services = shell.read("engine/GET_services");
        engine.answer(
                "GET", "/services", services.replaceFirst("\\[\\{", "[{\"long\":\"" + "x".repeat(200_000) + "\","));

        assertThat(shell.verb("prune")).isEqualTo(new Shell.Result(0, ""));
        assertThat(engine.commands()).contains("docker image rm --force app-1");
    }

    @Test
    void shouldRemoveNothingWhereNobodySaysWhatServicesNeed() {
        shell.bash("rm engine/GET_services");

        Shell.Result result = shell.verb("prune");

        assertThat(result.status()).isEqualTo(1);
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker"));
    }
}
