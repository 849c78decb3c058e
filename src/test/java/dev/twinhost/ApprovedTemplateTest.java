package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The whole template, as somebody has read and approved it. After a change that is meant, approve it anew with
 * {@code mvn test -Dtest=ApprovedTemplateTest -Dapprove}, and read the difference before it is committed.
 */
class ApprovedTemplateTest {
    private static final Path APPROVED = Path.of("src/test/resources/dev/twinhost/approved-template.json");
    private static final Path NOW = Path.of("target/approved-template.json");

    @Test
    void shouldBeTheTemplateThatWasApproved() throws IOException {
        String launcher = Files.readString(Path.of("src/main/resources/dev/twinhost/user-data.sh"));
        String template = new TemplateSanitiser(launcher)
                .sanitised(SynthesisedTemplate.site().json());
        boolean approve = System.getProperty("approve") != null;
        Files.writeString(approve ? APPROVED : NOW, template);

        assertThat(approve ? APPROVED : NOW)
                .as("where the change is meant: mvn test -Dtest=ApprovedTemplateTest -Dapprove")
                .hasSameTextualContentAs(APPROVED);
    }
}
