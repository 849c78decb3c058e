package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

class SharedStorageTemplateTest {
    private static final String FILE_SYSTEM = "SharedStorageFileSystemFF4F5FE9";

    @Test
    void shouldKeepItsLogicalId() {
        assertThat(site().resources("AWS::EFS::FileSystem")).containsOnlyKeys(FILE_SYSTEM);
    }

    @Test
    void shouldOutliveTheStackExceptWhenItsCreationFails() {
        assertThat(site().resource(FILE_SYSTEM).path("DeletionPolicy").asText()).isEqualTo("RetainExceptOnCreate");
        assertThat(site().resource(FILE_SYSTEM).path("UpdateReplacePolicy").asText())
                .isEqualTo("Retain");
    }

    @Test
    void shouldBeEncryptedAtRestAndBackedUp() {
        assertThat(properties().path("Encrypted").asBoolean()).isTrue();
        assertThat(properties().path("BackupPolicy").path("Status").asText()).isEqualTo("ENABLED");
    }

    @Test
    void shouldDenyEveryClientWithoutTlsAndAllowNobodyByItself() {
        JsonNode statements = properties().path("FileSystemPolicy").path("Statement");

        assertThat(statements).hasSize(1);
        assertThat(statements.path(0).path("Effect").asText()).isEqualTo("Deny");
        assertThat(statements.path(0).path("Principal").toString()).isEqualTo("{\"AWS\":\"*\"}");
        assertThat(statements.path(0).path("Condition").toString())
                .isEqualTo("{\"Bool\":{\"aws:SecureTransport\":\"false\"}}");
        assertThat(statements.path(0).path("Action"))
                .extracting(JsonNode::asText)
                .contains("elasticfilesystem:ClientMount");
    }

    @Test
    void shouldHaveAMountTargetInEveryZone() {
        assertThat(site().resources("AWS::EFS::MountTarget").values())
                .extracting(target ->
                        target.path("Properties").path("SubnetId").path("Ref").asText())
                .containsExactlyInAnyOrderElementsOf(
                        site().resources("AWS::EC2::Subnet").keySet());
        assertThat(site().resources("AWS::EFS::MountTarget").values())
                .allMatch(target -> target.path("Properties")
                        .path("SecurityGroups")
                        .toString()
                        .contains(site().idOf("AWS::EC2::SecurityGroup", "Groups/Storage/")));
    }

    private static JsonNode properties() {
        return site().resource(FILE_SYSTEM).path("Properties");
    }
}
