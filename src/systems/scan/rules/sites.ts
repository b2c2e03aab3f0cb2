import { isBelow } from '../content/filter.ts';
import { nodes, nodesOfType, type ContentModel } from '../content/model.ts';
import { isTrue, placeOf, textOf, walk } from '../content/node.ts';
import type { Check } from '../rule.ts';

const staticResource =
  /\.(png|jpe?g|gif|svg|webp|avif|ico|cur|bmp|woff2?|ttf|otf|eot|mp4|webm|ogg|mp3|wav|pdf|swf)$/i;

export const clientlibResource: Check<ContentModel> = {
  rule: {
    key: 'ClientlibProxyResource',
    type: 'BUG',
    severity: 'MINOR',
    title: 'Files of proxied client libraries are in resources',
    finds:
      'Images, fonts and other static files of a client library with `allowProxy` that are not in its folder `resources`',
    remedy: 'Move the file below `resources`: elsewhere visitors cannot get it through `/etc.clientlibs`.',
  },
  check: (model, report) => {
    for (const { node: library } of nodesOfType(model, 'cq:ClientLibraryFolder'))
      if (isTrue(library, 'allowProxy'))
        for (const file of walk(library))
          if (file.type === 'nt:file' && staticResource.test(file.name))
            if (!isBelow(file.path, `${library.path}/resources`))
              report(file.place, `${file.path} cannot be reached through the proxy of ${library.path}`);
  },
};

export const classicDialog: Check<ContentModel> = {
  rule: {
    key: 'ComponentWithOnlyClassicUIDialog',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    cloudService: true,
    title: 'Components with a dialog have one for the touch UI',
    finds: 'A component with `dialog` and no `cq:dialog`, or with `design_dialog` and no `cq:design_dialog`',
    remedy: 'Convert the dialog, for example with the AEM Modernization Tools.',
  },
  check: (model, report) => {
    for (const { node } of nodesOfType(model, 'cq:Component'))
      for (const name of ['dialog', 'design_dialog']) {
        const classic = node.children.get(name) ?? node.children.get(`${name}.xml`);
        if (classic && !node.children.has(`cq:${name}`))
          report(classic.place, `The component ${node.path} has ${name} and no cq:${name}`);
      }
  },
};

export const staticTemplate: Check<ContentModel> = {
  rule: {
    key: 'StaticTemplateUsage',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    title: 'Templates are editable',
    finds: 'A template below `/apps`, or a page made from one',
    remedy: 'Make an editable template below `/conf`.',
  },
  check: (model, report) => {
    for (const { node } of nodes(model)) {
      if (node.type === 'cq:Template' && isBelow(node.path, '/apps'))
        report(node.place, `${node.path} is a static template`);
      const template = textOf(node, 'cq:template') ?? '';
      if (node.name === 'jcr:content' && isBelow(template, '/apps'))
        report(placeOf(node, 'cq:template'), `The page uses the static template ${template}`);
    }
  },
};

const foundation = /^(\/libs\/)?foundation\/components\//;

export const foundationComponent: Check<ContentModel> = {
  rule: {
    key: 'LegacyFoundationComponentUsage',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    title: 'Components do not build on foundation components',
    finds: 'A component that extends or overlays one of `foundation/components`',
    remedy: 'Use the Core Component that replaces it.',
  },
  check: (model, report) => {
    for (const { node } of nodes(model)) {
      const base = textOf(node, 'sling:resourceSuperType') ?? '';
      if (node.type === 'cq:Component' && isBelow(node.path, '/apps/foundation/components'))
        report(node.place, `${node.path} overlays a foundation component`);
      else if (foundation.test(base))
        report(
          placeOf(node, 'sling:resourceSuperType'),
          `${node.path} extends the foundation component ${base}`,
        );
    }
  },
};

export const reverseReplication: Check<ContentModel> = {
  rule: {
    key: 'ReverseReplication',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    cloudService: true,
    title: 'There is no reverse replication',
    finds: 'A replication agent for reverse replication',
    remedy:
      'Keep what visitors enter in a service outside AEM: the Cloud Service has no reverse replication.',
  },
  check: (model, report) => {
    for (const { node } of nodes(model)) {
      const property = ['cq:template', 'sling:resourceType'].find((name) =>
        /(^|\/)cq\/replication\/(templates|components)\/revagent$/.test(textOf(node, name) ?? ''),
      );
      if (property || isTrue(node, 'reverseReplication'))
        report(
          placeOf(node, property ?? 'reverseReplication'),
          `${node.path} is a reverse replication agent`,
        );
    }
  },
};

/** What the asset microservices of the Cloud Service do instead, or what is not there. */
const processes = [
  'com.day.cq.dam.cameraraw.process.CameraRawHandlingProcess',
  'com.day.cq.dam.core.process.AssetOffloadingProcess',
  'com.day.cq.dam.core.process.CommandLineProcess',
  'com.day.cq.dam.core.process.CreatePdfPreviewProcess',
  'com.day.cq.dam.core.process.CreateWebEnabledImageProcess',
  'com.day.cq.dam.core.process.DeleteImagePreviewProcess',
  'com.day.cq.dam.core.process.EPSFormatProcess',
  'com.day.cq.dam.core.process.ExtractMetadataProcess',
  'com.day.cq.dam.core.process.MetadataProcessorProcess',
  'com.day.cq.dam.core.process.ThumbnailProcess',
  'com.day.cq.dam.handler.ffmpeg.FFMpegTranscodeProcess',
  'com.day.cq.dam.indd.process.INDDMediaExtractProcess',
  'com.day.cq.dam.indd.process.INDDPageExtractProcess',
  'com.day.cq.dam.s7dam.common.process.VideoThumbnailDownloadProcess',
  'com.day.cq.dam.s7dam.common.process.VideoUserUploadedThumbnailProcess',
  'com.day.cq.dam.scene7.impl.process.Scene7UploadProcess',
  'com.day.cq.dam.switchengine.process.SwitchEngineHandlingProcess',
  'com.day.cq.dam.video.FFMpegThumbnailProcess',
  'com.day.cq.dam.video.FFMpegTranscodeProcess',
];

export const workflowProcess: Check<ContentModel> = {
  rule: {
    key: 'CloudServiceIncompatibleWorkflowProcess',
    type: 'CODE_SMELL',
    severity: 'BLOCKER',
    onCloud: { type: 'BUG', severity: 'MAJOR' },
    cloudService: true,
    title: 'Workflows have no steps that the Cloud Service lacks',
    finds: `A workflow step that runs one of ${processes.length} asset processes, such as \`${processes[9]}\``,
    remedy: 'Leave the step out: the asset microservices of the Cloud Service do its work.',
  },
  check: (model, report) => {
    for (const { node } of nodes(model)) {
      const process = textOf(node, 'PROCESS') ?? '';
      if (processes.includes(process))
        report(
          placeOf(node, 'PROCESS'),
          `The workflow step runs ${process}, which the Cloud Service does not have`,
        );
    }
  },
};

export const siteChecks: readonly Check<ContentModel>[] = [
  clientlibResource,
  classicDialog,
  staticTemplate,
  foundationComponent,
  reverseReplication,
  workflowProcess,
];
