package dev.twinhost.rehearsal.release;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishedTest {
    @TempDir
    private Path folder;

    private StateFolder state;
    private Published published;

    @BeforeEach
    void start() throws Exception {
        state = new StateFolder(folder);
        new SmallAssembly().with("/Release/Properties/Value", "\"first\"").write(Folders.make(state.assembly()));
        published = new Published(state);
    }

    @Test
    void shouldAnswerTheParametersOfTheLastRelease() throws Exception {
        assertThat(published.parameters()).containsValue("first");
        release("second");
        assertThat(published.parameters()).containsValue("second").doesNotContainValue("first");
        release("third");
        assertThat(published.parameters()).containsValue("third");
    }

    @Test
    void shouldKeepTheAssetsOfEveryRelease() throws Exception {
        release("second");
        assertThat(published.assets())
                .extracting(FileAsset::file)
                .containsExactly(
                        state.assembly().resolve("release.zip"),
                        state.releases().resolve("0001/release.zip"))
                .allMatch(Files::exists);
    }

    @Test
    void shouldMakeAHandleForEveryNewReleaseAndKeepItWhereTheReleaseIsTheSame() throws Exception {
        release("second");
        String second = url();
        release("second");
        assertThat(url()).isEqualTo(second);
        release("third");
        assertThat(url()).isNotEqualTo(second);
        release("second");
        assertThat(url()).as("the handle of an earlier deploy is gone").isNotEqualTo(second);
    }

    @Test
    void shouldGoBackToWhatWasDeployedBeforeAndItsHandle() throws Exception {
        release("second");
        String url = url();
        release("third");
        published.goBack();
        assertThat(published.parameters()).containsValue("second");
        assertThat(url()).isEqualTo(url);
        release("third");
        published.goBack();
        assertThat(url()).isEqualTo(url);
    }

    private String url() {
        return published.current().waitCondition().orElseThrow().url();
    }

    private void release(String value) throws Exception {
        Path fresh = Folders.make(folder.resolve("fresh"));
        new SmallAssembly()
                .with("/Release/Properties/Value", "\"" + value + "\"")
                .waitingFor(value)
                .write(fresh);
        published.add(fresh);
    }
}
