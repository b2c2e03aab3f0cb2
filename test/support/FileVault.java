import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.jackrabbit.vault.packaging.*;

/** Answers questions about versions, ranges and dependencies with FileVault's own classes, one line for each line. */
class FileVault {
  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    for (String line; (line = in.readLine()) != null;) {
      String[] asked = line.split("\t", -1);
      try {
        out.print(answer(asked));
      } catch (RuntimeException e) {
        out.print("refused");
      }
      out.print('\n');
    }
    out.flush();
  }

  static String answer(String[] asked) {
    switch (asked[0]) {
      case "compare":
        return String.valueOf(Integer.signum(Version.create(asked[1]).compareTo(Version.create(asked[2]))));
      case "range":
        return String.valueOf(VersionRange.fromString(asked[2]).isInRange(Version.create(asked[1])));
      default:
        StringBuilder found = new StringBuilder();
        for (Dependency d : Dependency.parse(asked[1])) {
          if (d == null) continue;
          found.append(d.getGroup()).append('\t').append(d.getName()).append('\t').append(d.getRange()).append('\t');
        }
        return found.toString();
    }
  }
}
