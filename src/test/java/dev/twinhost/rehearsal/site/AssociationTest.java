package dev.twinhost.rehearsal.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinhost.rehearsal.SmallAssembly;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class AssociationTest {
    @Test
    void shouldPutTheParametersIntoTheDocumentsCommands() {
        assertThat(small().read().association())
                .contains(new Association("echo 'Release 0123'\ntwinhost release", Duration.ofSeconds(1860)));
    }

    @Test
    void shouldDoWithoutAnAssociation() {
        assertThat(new SmallAssembly().read().association()).isEmpty();
    }

    @Test
    void shouldRefuseToStartAReleaseOnSeveralMachinesAtOnce() {
        assertThatThrownBy(small().with("/Association/Properties/MaxConcurrency", "\"2\"")::read)
                .hasMessage(
                        "AWS::SSM::Association Association: the rehearsal cannot play MaxConcurrency = 2; it plays 1");
    }

    @Test
    void shouldRefuseADocumentThatIsNotOfTheTemplate() {
        assertThatThrownBy(small().with("/Association/Properties/Name", "\"AWS-RunShellScript\"")::read)
                .hasMessage(
                        "AWS::SSM::Association Association: the rehearsal cannot play Name = AWS-RunShellScript, which is"
                                + " no document of the template");
    }

    private static SmallAssembly small() {
        return new SmallAssembly().with("/Document", """
                        {
                          "Type": "AWS::SSM::Document",
                          "Properties": {
                            "Content": {
                              "mainSteps": [
                                {
                                  "action": "aws:runShellScript",
                                  "inputs": {
                                    "runCommand": ["echo 'Release {{ Release }}'", "twinhost release"],
                                    "timeoutSeconds": "1860"
                                  }
                                }
                              ]
                            },
                            "DocumentType": "Command"
                          }
                        }""").with("/Association", """
                        {
                          "Type": "AWS::SSM::Association",
                          "Properties": {
                            "MaxConcurrency": "1",
                            "MaxErrors": "0",
                            "Name": { "Ref": "Document" },
                            "Parameters": { "Release": ["0123"] }
                          }
                        }""");
    }
}
