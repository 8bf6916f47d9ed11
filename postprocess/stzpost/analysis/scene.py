# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample in space, drawn with VTK: the surface of the composition, the box, and events coloured by their time."""
from __future__ import annotations

import numpy as np
import vtkmodules.vtkInteractionStyle  # noqa: F401  (VTK's factories register themselves when imported)
import vtkmodules.vtkRenderingFreeType  # noqa: F401
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
from matplotlib import colormaps
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLookupTable, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkContourFilter, vtkGlyph3D
from vtkmodules.vtkFiltersModeling import vtkOutlineFilter
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingAnnotation import vtkScalarBarActor
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkTextActor,
    vtkWindowToImageFilter,
)

RADIUS_NM = 0.25  # of the ball that stands for an event


class Scene:
    """`shot(n, angle, text)` is a picture with the first n events."""

    def __init__(self, result, run, size: tuple[int, int]) -> None:
        spacing = float(result.setting("spacing_nm"))
        self.places = spacing * (run["event_site"].values + 0.5)
        self.times = run["event_time_s"].values
        self.renderer = vtkRenderer()
        self.renderer.SetBackground(1, 1, 1)
        image = _image(run["field_composition"].values.astype(float), spacing)
        values = run["field_composition"].values
        self._surface(image, float(values.mean() + 0.5 * values.std()))
        self._box(image)
        self._events()
        self.text = vtkTextActor()
        self.text.GetTextProperty().SetFontSize(24)
        self.text.GetTextProperty().SetColor(0, 0, 0)
        self.text.SetPosition(20, size[1] - 44)
        self.renderer.AddViewProp(self.text)
        self.window = vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(4)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        camera = self.renderer.GetActiveCamera()
        camera.SetPosition(1.0, -1.6, 0.8)
        camera.SetViewUp(0, 0, 1)
        self.renderer.ResetCamera()
        camera.Zoom(1.2)
        self.turned = 0.0

    def shot(self, count: int, angle: float, text: str) -> np.ndarray:
        """RGB [row][column][3] from above, with the camera turned by `angle` degrees from where it began."""
        self._place(count)
        self.text.SetInput(text)
        self.renderer.GetActiveCamera().Azimuth(angle - self.turned)
        self.turned = angle
        self.renderer.ResetCameraClippingRange()
        self.window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        width, height, _ = grab.GetOutput().GetDimensions()
        return vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(height, width, -1)[::-1].copy()

    def _surface(self, image, level: float) -> None:
        contour = vtkContourFilter()
        contour.SetInputData(image)
        contour.SetValue(0, level)
        actor = _actor(contour)
        actor.GetMapper().ScalarVisibilityOff()
        actor.GetProperty().SetColor(0.75, 0.70, 0.45)
        actor.GetProperty().SetOpacity(0.35)
        self.renderer.AddActor(actor)

    def _box(self, image) -> None:
        outline = vtkOutlineFilter()
        outline.SetInputData(image)
        actor = _actor(outline)
        actor.GetProperty().SetColor(0.3, 0.3, 0.3)
        self.renderer.AddActor(actor)

    def _events(self) -> None:
        ball = vtkSphereSource()
        ball.SetRadius(RADIUS_NM)
        self.cloud = vtkPolyData()
        self._place(0)
        glyphs = vtkGlyph3D()
        glyphs.SetInputData(self.cloud)
        glyphs.SetSourceConnection(ball.GetOutputPort())
        glyphs.ScalingOff()
        actor = _actor(glyphs)
        table = vtkLookupTable()
        table.SetNumberOfTableValues(256)
        for index, colour in enumerate(colormaps["viridis"](np.linspace(0, 1, 256))):
            table.SetTableValue(index, *colour)
        table.SetRange(float(self.times[0]), float(self.times[-1]))
        actor.GetMapper().SetLookupTable(table)
        actor.GetMapper().UseLookupTableScalarRangeOn()
        self.renderer.AddActor(actor)
        bar = vtkScalarBarActor()
        bar.SetLookupTable(table)
        bar.SetTitle("time (s)")
        bar.SetLabelFormat("%.3g")
        bar.SetNumberOfLabels(4)
        bar.UnconstrainedFontSizeOn()
        for style in (bar.GetTitleTextProperty(), bar.GetLabelTextProperty()):
            style.SetColor(0, 0, 0)
            style.SetFontSize(20)
            style.ItalicOff()
            style.BoldOff()
            style.ShadowOff()
        bar.SetPosition(0.86, 0.2)
        bar.SetWidth(0.1)
        bar.SetHeight(0.6)
        self.renderer.AddViewProp(bar)

    def _place(self, count: int) -> None:
        points = vtkPoints()
        points.SetData(numpy_to_vtk(self.places[:count], deep=True))
        self.cloud.SetPoints(points)
        self.cloud.GetPointData().SetScalars(numpy_to_vtk(self.times[:count], deep=True))
        self.cloud.Modified()


def _image(values: np.ndarray, spacing: float):
    image = vtkImageData()
    image.SetDimensions(*values.shape)
    image.SetSpacing(spacing, spacing, spacing)
    image.SetOrigin(spacing / 2, spacing / 2, spacing / 2)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(order="F"), deep=True))
    return image


def _actor(source):
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    actor = vtkActor()
    actor.SetMapper(mapper)
    return actor
