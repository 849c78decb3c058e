package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class TemplateSanitiserTest {
    private static final String HASH = "0123456789abcdef".repeat(4);

    @Test
    void shouldReplaceHashesWhereverTheyStand() throws IOException {
        assertThat(sanitised("{'a': ['x/%s.zip', {'b': '%s'}]}".formatted(HASH, HASH)))
                .isEqualTo(read("{'a': ['x/<hash>.zip', {'b': '<hash>'}]}"));
    }

    @Test
    void shouldKeepWhatOnlyLooksLikeAHash() throws IOException {
        String longer = HASH + "0";
        String shorter = HASH.substring(1);

        assertThat(sanitised("{'a': '%s', 'b': '%s'}".formatted(longer, shorter)))
                .isEqualTo(read("{'a': '%s', 'b': '%s'}".formatted(longer, shorter)));
    }

    @Test
    void shouldReplaceTheReleasesHashInIds() throws IOException {
        String id = "ReleaseAnswer" + HASH.substring(0, 16);
        assertThat(sanitised("{'%s': {'Ref': '%s'}, 'z': 1}".formatted(id, id)))
                .isEqualTo(read("{'ReleaseAnswer<hash>': {'Ref': 'ReleaseAnswer<hash>'}, 'z': 1}"));
    }

    @Test
    void shouldReplaceTheLauncherAndKeepWhatStandsBeforeIt() throws IOException {
        assertThat(sanitised("{'UserData': 'export A=b;set -eu; exit'}"))
                .isEqualTo(read("{'UserData': 'export A=b;<launcher>'}"));
    }

    @Test
    void shouldDropPathsAndKeepOtherMetadata() throws IOException {
        assertThat(sanitised("{'R': {'Type': 'T', 'Metadata': {'aws:cdk:path': 'x'}},"
                        + " 'S': {'Metadata': {'aws:cdk:path': 'x', 'why': 'y'}}}"))
                .isEqualTo(read("{'R': {'Type': 'T'}, 'S': {'Metadata': {'why': 'y'}}}"));
    }

    @Test
    void shouldLeaveTheTemplateItselfAlone() throws IOException {
        JsonNode template = read("{'a': '%s'}".formatted(HASH));
        new TemplateSanitiser("set -eu; exit").sanitised(template);

        assertThat(template).isEqualTo(read("{'a': '%s'}".formatted(HASH)));
    }

    private static JsonNode sanitised(String json) throws IOException {
        return new ObjectMapper().readTree(new TemplateSanitiser("set -eu; exit").sanitised(read(json)));
    }

    private static JsonNode read(String json) throws IOException {
        return new ObjectMapper().readTree(json.replace('\'', '"'));
    }
}
