import MeshSimulator
import Testing
