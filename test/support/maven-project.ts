/**
 * A small Maven project with one unit test, which does as the variables of the build say: it fails where `FAIL` is
 * set, and says that it sleeps and does so where `SLEEP` is set. It makes no package.
 */
export const mavenProject: Readonly<Record<string, string>> = {
  '.mvn/jvm.config': '-XX:TieredStopAtLevel=1\n-XX:+UseSerialGC\n',
  'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>small</artifactId>
  <version>1.2.3</version>
  <properties>
    <maven.compiler.release>11</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <build><pluginManagement><plugins>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.11.0</version></plugin>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.2.5</version></plugin>
    <plugin><artifactId>maven-jar-plugin</artifactId><version>3.3.0</version></plugin>
    <plugin><groupId>org.jacoco</groupId><artifactId>jacoco-maven-plugin</artifactId><version>0.8.12</version></plugin>
  </plugins></pluginManagement></build>
  <dependencies><dependency>
    <groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.10.2</version><scope>test</scope>
  </dependency></dependencies>
</project>
`,
  'src/test/java/com/example/SmallTest.java': `package com.example;

import static org.junit.jupiter.api.Assertions.*;
import org.junit.jupiter.api.Test;

class SmallTest {
  @Test
  void behaves() throws Exception {
    System.out.println("variables: " + new java.util.TreeSet<>(System.getenv().keySet()));
    if (System.getenv("SLEEP") != null) {
      System.out.println("sleeping now");
      new ProcessBuilder("setsid", "sleep", "600").start();
      Thread.sleep(600_000);
    }
    assertNull(System.getenv("FAIL"), "it was told to fail");
  }
}
`,
};
